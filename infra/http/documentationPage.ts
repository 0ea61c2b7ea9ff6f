import { documentationStyle } from './documentationStyle.ts';
import type { JsonObject, OpenApiDocument, OpenApiOperation } from './openApi.ts';

/** The OpenAPI document as one page that needs nothing else: no script, no font, no other server. */
export function documentationPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = document.tags.map((tag) => ({
    tag,
    members: operations.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const { schemas } = document.components;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(document.info.title)} gateway API</title>
<style>${documentationStyle}</style>
</head>
<body>
<nav aria-label="Contents">
<p class="brand"><a href="/">${escapeHtml(document.info.title)}</a> <small>${escapeHtml(document.info.version)}</small></p>
${sections
  .map(
    ({ tag, members }) =>
      `<h2>${tag.name}</h2><ul>${members
        .map(
          ({ method, operation }) =>
            `<li><a href="#${operation.operationId}"><b class="${method}">${method}</b> ${escapeHtml(operation.summary)}</a></li>`,
        )
        .join('')}</ul>`,
  )
  .join('\n')}
<h2>Schemas</h2><ul>${Object.keys(schemas)
    .map((name) => `<li><a href="#schema-${name}">${name}</a></li>`)
    .join('')}</ul>
</nav>
<main>
<h1>Gateway API</h1>
<p class="lead">${escapeHtml(document.info.description)}</p>
<p>The same as a machine reads it: <a href="/openapi.json">/openapi.json</a> (OpenAPI ${document.openapi}).</p>
${sections
  .map(
    ({ tag, members }) =>
      `<section><h2>${tag.name}</h2><p>${escapeHtml(tag.description)}</p>${members
        .map(({ path, method, operation }) => operationHtml(path, method, operation))
        .join('\n')}</section>`,
  )
  .join('\n')}
<section><h2>Schemas</h2>
${Object.entries(schemas)
  .map(([name, schema]) => `<article id="schema-${name}"><h3>${name}</h3>${schemaHtml(schema)}</article>`)
  .join('\n')}
</section>
</main>
</body>
</html>
`;
}

function operationHtml(path: string, method: string, operation: OpenApiOperation): string {
  const { requestBody, parameters = [] } = operation;
  return `<article id="${operation.operationId}">
<h3>${escapeHtml(operation.summary)}</h3>
<p class="route"><b class="${method}">${method}</b> <code>${escapeHtml(path)}</code>${
    operation.security.length === 0 ? '<span class="tag">no key</span>' : '<span class="tag">API key</span>'
  }</p>
${operation.description === undefined ? '' : `<p>${escapeHtml(operation.description)}</p>`}
${
  parameters.length === 0
    ? ''
    : `<h4>Parameters</h4><table>${parameters
        .map((parameter) => fieldRow(parameter.name, parameter.schema, parameter.required, parameter.description))
        .join('')}</table>`
}
${
  requestBody === undefined
    ? ''
    : `<h4>Body</h4><p>${escapeHtml(requestBody.description)}</p><ul>${Object.entries(requestBody.content)
        .map(([contentType, media]) => `<li><code>${escapeHtml(contentType)}</code> ${typeHtml(media['schema'])}</li>`)
        .join('')}</ul>${exampleHtml(path, method, requestBody.content)}`
}
<h4>Answers</h4><table class="answers">${Object.entries(operation.responses)
    .map(
      ([status, response]) =>
        `<tr><td><code class="status s${status.slice(0, 1)}">${status}</code></td><td>${escapeHtml(response.description)} ${contentHtml(response.content)}</td></tr>`,
    )
    .join('')}</table>
</article>`;
}

function exampleHtml(path: string, method: string, content: Readonly<Record<string, JsonObject>>): string {
  const example = content['application/json']?.['example'];
  if (example === undefined) return '';
  const command =
    `curl -X ${method.toUpperCase()} $SLUICE_URL${path} -H "Authorization: Bearer $SLUICE_KEY" \\\n` +
    `  -H 'Content-Type: application/json' -d '${JSON.stringify(example)}'`;
  return `<pre><code>${escapeHtml(command)}</code></pre>`;
}

function contentHtml(content: JsonObject | undefined): string {
  return Object.values(content ?? {})
    .map((media) => (isObject(media) ? typeHtml(media['schema']) : ''))
    .join(' ');
}

function schemaHtml(schema: JsonObject): string {
  const { description, properties } = schema;
  const intro = typeof description === 'string' ? `<p>${escapeHtml(description)}</p>` : '';
  return intro + (isObject(properties) ? propertiesHtml(schema) : `<p>${typeHtml(schema)}</p>`);
}

function propertiesHtml(schema: JsonObject): string {
  const { properties, required } = schema;
  if (!isObject(properties)) return '';
  const requiredNames: readonly unknown[] = Array.isArray(required) ? required : [];
  return `<table>${Object.entries(properties)
    .map(([name, property]) => fieldRow(name, property, requiredNames.includes(name)))
    .join('')}</table>`;
}

function fieldRow(name: string, schema: unknown, isRequired: boolean, description?: string): string {
  const own = isObject(schema) ? schema : {};
  const text = description ?? (typeof own['description'] === 'string' ? own['description'] : '');
  const nested = nestedObject(own);
  return `<tr><td><code>${escapeHtml(name)}</code>${isRequired ? '<span class="required">required</span>' : ''}</td><td>${escapeHtml(text)} <div>${typeHtml(own)}</div>${
    nested === undefined ? '' : `<details><summary>fields</summary>${propertiesHtml(nested)}</details>`
  }</td></tr>`;
}

/** The object whose fields are worth a table of their own: the field itself, or the items of its list. */
function nestedObject(schema: JsonObject): JsonObject | undefined {
  if (isObject(schema['properties'])) return schema;
  const { items } = schema;
  return isObject(items) && isObject(items['properties']) ? items : undefined;
}

/** A type in a few words: `string, 1 to 64 characters`. */
function typeHtml(schema: unknown): string {
  if (!isObject(schema)) return '';
  const { $ref: reference } = schema;
  if (typeof reference === 'string') {
    const name = escapeHtml(reference.slice(reference.lastIndexOf('/') + 1));
    return `<a class="type" href="#schema-${name}">${name}</a>`;
  }
  if (schema['format'] === 'binary') return '';
  const branches = schema['anyOf'];
  if (Array.isArray(branches)) return branches.map(typeHtml).join(' or ');
  const words = [typeWords(schema), ...boundWords(schema)].filter((word) => word !== '');
  const list = isObject(schema['items']) ? ` of ${typeHtml(schema['items'])}` : '';
  return `<span class="type">${escapeHtml(words.join(', '))}</span>${list}`;
}

function typeWords(schema: JsonObject): string {
  const { type, enum: symbols, const: constant } = schema;
  if (constant !== undefined) return JSON.stringify(constant);
  if (Array.isArray(symbols)) return symbols.map(String).join(' | ');
  if (Array.isArray(type)) return type.map(String).join(' or ');
  return typeof type === 'string' ? type : '';
}

function boundWords(schema: JsonObject): string[] {
  const words = [
    rangeWords(schema['minLength'], schema['maxLength'], ' characters'),
    rangeWords(schema['minItems'], schema['maxItems'], ' items'),
    rangeWords(undefined, schema['maxProperties'], ' entries'),
    rangeWords(schema['minimum'], schema['maximum'], ''),
  ];
  if (typeof schema['pattern'] === 'string') words.push(`matches ${schema['pattern']}`);
  if (schema['default'] !== undefined) words.push(`default ${JSON.stringify(schema['default'])}`);
  return words;
}

function rangeWords(from: unknown, to: unknown, unit: string): string {
  // zod bounds every integer by what a double holds exactly: nothing a reader needs.
  const low = typeof from === 'number' && Math.abs(from) !== Number.MAX_SAFE_INTEGER ? from : undefined;
  const high = typeof to === 'number' && to !== Number.MAX_SAFE_INTEGER ? to : undefined;
  if (low === undefined && high === undefined) return '';
  if (high === undefined) return `at least ${low ?? ''}${unit}`;
  return low === undefined ? `at most ${high}${unit}` : `${low} to ${high}${unit}`;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
