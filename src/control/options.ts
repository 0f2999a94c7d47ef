import { path } from '../option-kinds.ts';
import { option, type Schema, section } from '../options.ts';

export interface ControlOptions {
  /** Absolute path of the Unix socket. */
  readonly socket: string;
}

export const controlOptions: Schema<ControlOptions> = section<ControlOptions>({
  socket: option(path, '<data>/relay.sock', 'The Unix socket by which the command line talks to the running relay.'),
});
