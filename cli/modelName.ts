import { InvalidArgumentError } from 'commander';

/** A model package as commands name it: payment-fraud@7. */
export interface ModelName {
  readonly id: string;
  readonly version: string;
}

/** For an argument of a command. */
export function parseModelName(text: string): ModelName {
  const at = text.lastIndexOf('@');
  const [id, version] = [text.slice(0, at), text.slice(at + 1)];
  if (at > 0 && version !== '') return { id, version };
  throw new InvalidArgumentError('A model is named ID@VERSION, as payment-fraud@7; sluice models list shows them.');
}

export function modelNameText({ id, version }: ModelName): string {
  return `${id}@${version}`;
}

/** Its address in the HTTP API. */
export function modelPath({ id, version }: ModelName): string {
  return `/v1/models/${encodeURIComponent(id)}/${encodeURIComponent(version)}`;
}
