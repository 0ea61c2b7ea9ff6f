/** What an error says, with its code, which tells the one who asked what to do. */
export function codedMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return code.startsWith('SLUICE_') ? `${code}: ${error.message}` : error.message;
}
