/** Something that takes the load and sends it on to the sink. */
export interface Target {
  readonly port: number;
  /** PEM of the authority its server is verified by. */
  readonly trust: string;
  /** Its processes, by name. */
  readonly pids: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** PEM files of a server. */
export interface ServerFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly rootFile: string;
}
