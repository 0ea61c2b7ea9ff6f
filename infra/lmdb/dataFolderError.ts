/** The data folder cannot be opened. The message is one line for the person who started Sluice. */
export class DataFolderError extends Error {
  readonly code: 'SLUICE_DATA_IN_USE' | 'SLUICE_DATA_MISSING' | 'SLUICE_DATA_FULL' | 'SLUICE_DATA_UNUSABLE';
  constructor(code: DataFolderError['code'], message: string) {
    super(message);
    this.name = 'DataFolderError';
    this.code = code;
  }
}
