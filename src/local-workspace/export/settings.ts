import { z } from 'zod';
import { isTableName } from './layout.ts';

const MIB = 1024 * 1024;

/** How a workspace is exported. */
export interface ExportSettings {
  /** The folder: a mounted share, a disk that keeps what is written. */
  readonly target: string;
  /** `*`: all tables. */
  readonly tables: '*' | readonly string[];
  /** Minutes between two runs of the continuous export, 1 to 1,440; 0 for none: only what is asked for is exported. */
  readonly everyMinutes: number;
  /** MiB of JSON lines after which a file takes no more, 1 to 512. */
  readonly partMib: number;
  /** Whether finished files get the file system's immutable flag. */
  readonly immutableFlag: boolean;
  /** `customer-key`: files are sealed under the key of the private storage. */
  readonly seal: 'none' | 'customer-key';
}

/** Reads the settings; every five minutes, as the service does, unless said otherwise. */
export const exportSettingsSchema: z.ZodType<ExportSettings> = z.strictObject({
  target: z.string().min(1).max(4_000),
  tables: z.union([z.literal('*'), z.array(z.string().refine(isTableName, 'is no name of a table')).min(1).max(500)]).default('*'),
  everyMinutes: z.int().min(0).max(1_440).default(5),
  partMib: z.int().min(1).max(512).default(64),
  immutableFlag: z.boolean().default(false),
  seal: z.enum(['none', 'customer-key']).default('none'),
});

/** The bytes of JSON lines after which a file takes no more. */
export function partBytesOf({ partMib }: Pick<ExportSettings, 'partMib'>): number {
  return partMib * MIB;
}
