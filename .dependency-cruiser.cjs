// Imports point one way: schemas <- operators <- models <- pipeline; infra implements pipeline's ports; cli (and bench) join
// them. tools/layers/layers.test.ts proves on a small tree that every rule here can fail.
const CODE = '\\.ts$';
const EXEMPT = '\\.test\\.ts$|/testing/';
const LAYERS = ['schemas', 'operators', 'models', 'pipeline', 'infra', 'cli', 'bench'];
const MAY_IMPORT = {
  schemas: ['schemas'],
  operators: ['schemas', 'operators'],
  models: ['schemas', 'operators', 'models'],
  pipeline: ['schemas', 'operators', 'models', 'pipeline'],
  infra: ['schemas', 'operators', 'models', 'pipeline', 'infra'],
};
const layer = (names) => `^(?:${names.join('|')})/`;
const below = Object.entries(MAY_IMPORT).map(([name, allowed]) => ({
  name: `${name}-imports-only-what-is-below`,
  comment: `${name}/ may import only from ${allowed.join(', ')}.`,
  severity: 'error',
  from: { path: `^${name}/.*${CODE}`, pathNot: EXEMPT },
  to: { path: layer(LAYERS.filter((other) => !allowed.includes(other))) },
}));

module.exports = {
  forbidden: [
    ...below,
    {
      name: 'pure-code-does-no-io',
      comment: 'operators/ and models/ read no files, sockets, clocks or processes: what they need is an argument.',
      severity: 'error',
      from: { path: `^(?:operators|models)/.*${CODE}`, pathNot: EXEMPT },
      to: {
        dependencyTypes: ['core'],
        path: '^(?:node:)?(?:fs|net|http|https|http2|tls|dgram|dns|child_process|worker_threads|cluster|os|readline|repl|timers)(?:/promises)?$',
      },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle at run time. (Types alone may point at each other.)',
      severity: 'error',
      from: { path: layer(LAYERS) },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'tests-stay-outside',
      comment: 'What runs in production imports no test support.',
      severity: 'error',
      from: { path: layer(LAYERS), pathNot: EXEMPT },
      to: { path: '/testing/|\\.test\\.ts$' },
    },
    {
      name: 'no-development-packages',
      comment: 'What runs in production imports only what package.json lists under dependencies.',
      severity: 'error',
      from: { path: layer(LAYERS), pathNot: `${EXEMPT}|^schemas/generate\\.ts$` },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'every-import-resolves',
      severity: 'error',
      from: { path: layer(LAYERS) },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^infra/console/static/|/assembly/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
