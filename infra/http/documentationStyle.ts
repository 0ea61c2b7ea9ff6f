/** The style of /docs, for light and dark, from a phone up. */
export const documentationStyle = `
:root { color-scheme: light dark; --text: #17212b; --soft: #5b6b7a; --line: #dfe5ea; --back: #fff; --panel: #f6f8fa; --link: #0b63b5;
  --get: #0b63b5; --post: #157a4a; --put: #935b00; --delete: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e4eaf0; --soft: #93a3b3; --line: #2b3641; --back: #10161c; --panel: #171f27;
  --link: #6db3f2; --get: #6db3f2; --post: #5cc68d; --put: #e0a955; --delete: #f28b82; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; color: var(--text); background: var(--back); font: 15px/1.55 system-ui, sans-serif; display: grid;
  grid-template-columns: 17rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.25rem; background: var(--panel);
  border-right: 1px solid var(--line); font-size: 13.5px; }
nav .brand { font-size: 1.15rem; font-weight: 700; margin: 0 0 1rem; }
nav h2 { font-size: 11px; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); margin: 1.25rem 0 .35rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: flex; gap: .5rem; align-items: baseline; padding: .18rem 0; color: inherit; text-decoration: none; }
nav li a:hover { color: var(--link); }
nav b { flex: 0 0 3.4rem; }
main { padding: 2rem clamp(1rem, 4vw, 3.5rem) 6rem; max-width: 62rem; }
a { color: var(--link); }
small, .soft { color: var(--soft); font-weight: 400; }
h1 { margin: 0 0 .5rem; font-size: 2rem; letter-spacing: -.01em; }
.lead { font-size: 1.05rem; color: var(--soft); max-width: 48rem; }
section > h2 { margin: 3rem 0 0; font-size: 1.4rem; }
article { margin: 1.25rem 0; padding: 1.1rem 1.25rem; border: 1px solid var(--line); border-radius: 10px; }
article h3 { margin: 0 0 .3rem; font-size: 1.08rem; }
article h4 { margin: 1rem 0 .3rem; font-size: 11px; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); }
.route { margin: 0 0 .6rem; display: flex; flex-wrap: wrap; gap: .5rem; align-items: baseline; }
b.get, b.post, b.put, b.delete { font: 700 11px/1 ui-monospace, monospace; text-transform: uppercase; }
b.get { color: var(--get); } b.post { color: var(--post); } b.put { color: var(--put); } b.delete { color: var(--delete); }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, monospace; overflow-wrap: anywhere; }
.tag, .required { font-size: 11px; color: var(--soft); border: 1px solid var(--line); border-radius: 99px; padding: 0 .5em; margin-left: .5em; }
.required { color: var(--delete); }
.type { color: var(--soft); font: 12.5px ui-monospace, SFMono-Regular, Menlo, monospace; overflow-wrap: anywhere; }
a.type { color: var(--link); }
table { border-collapse: collapse; width: 100%; }
td { padding: .4rem .6rem .4rem 0; vertical-align: top; border-top: 1px solid var(--line); }
td:first-child { width: 30%; min-width: 8rem; }
.answers td:first-child { width: 4rem; min-width: 0; }
pre { overflow-x: auto; padding: .8rem 1rem; border-radius: 8px; background: var(--panel); border: 1px solid var(--line); white-space: pre-wrap; }
.status { font-weight: 700; } .s2 { color: var(--post); } .s4 { color: var(--put); } .s5 { color: var(--delete); }
ul { padding-left: 1.2rem; margin: .2rem 0; }
summary { cursor: pointer; color: var(--link); font-size: 13px; }
@media (max-width: 48rem) { body { display: block; } nav { position: static; height: auto; border: 0; } nav ul { columns: 2; } }
`;
