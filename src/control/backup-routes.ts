import { randomBytes } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Request, ResponseToolkit, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { EnterAudit } from '../audit/entry.ts';
import { audited } from './operator.ts';
import { parse } from './payload.ts';

/** What a backup asks of a running relay: a copy of what only the relay itself can read. */
export interface BackupControl {
  /** Folder in which a copy may lie until it is sent. */
  readonly folder: string;
  /** Writes a consistent copy of the agents' database. */
  saveDatabase(path: string): void;
}

const begun = z.strictObject({ name: z.string().min(1).max(200), parts: z.array(z.string().max(20)).max(10) });

/** Answers with a copy of the agents' database as it is now, and enters that a backup was begun. */
export function backupRoutes(control: BackupControl, audit: EnterAudit): ServerRoute[] {
  const answer = (request: Request, h: ResponseToolkit): ReturnType<ResponseToolkit['response']> => {
    parse(begun, request.payload);
    return answerWith(control, h);
  };
  const handler = audited(answer, {
    audit,
    action: 'backup.create',
    on: (request) => parse(begun, request.payload).name,
    detail: (request) => parse(begun, request.payload).parts.join(', '),
  });
  return [{ method: 'POST', path: '/backups', handler }];
}

// Without a name from the moment it can be read, so that nothing is left behind, however the relay ends.
function answerWith({ folder, saveDatabase }: BackupControl, h: ResponseToolkit): ReturnType<ResponseToolkit['response']> {
  const path = join(folder, `.backup-${randomBytes(6).toString('hex')}`);
  let file: number | undefined;
  try {
    saveDatabase(path);
    file = openSync(path, 'r');
    const { size } = fstatSync(file);
    return h
      .response(createReadStream(path, { fd: file }))
      .bytes(size)
      .type('application/octet-stream');
  } catch (cause) {
    if (file !== undefined) closeSync(file);
    throw cause;
  } finally {
    rmSync(path, { force: true });
  }
}
