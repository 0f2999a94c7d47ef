const MAX_BODY_BYTES = 1024 * 1024;

/** Turns a log file's text into bodies of custom records, one record a line, each body about 1 MiB at most. Empty lines are left out. */
export function recordsOf(text: Buffer, from: { readonly file: string; readonly computer: string }): Buffer[] {
  const bodies: Buffer[] = [];
  let records: string[] = [];
  let bytes = 0;
  const close = (): void => {
    if (records.length > 0) bodies.push(Buffer.from(`[${records.join(',')}]`));
    records = [];
    bytes = 0;
  };
  for (const line of text.toString('utf8').split(/\r?\n/)) {
    if (line === '') continue;
    const record = JSON.stringify({ RawData: line, Computer: from.computer, FilePath: from.file });
    if (bytes + record.length > MAX_BODY_BYTES) close();
    records.push(record);
    bytes += record.length;
  }
  close();
  return bodies;
}
