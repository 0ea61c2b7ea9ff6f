import type { OpenApiDocument } from './openApi.ts';
export function documentationPage(document: OpenApiDocument): string {
  return `<!doctype html><title>${document.info.title}</title>`;
}
