/** Every format that this release reads and writes on disk, taken from the code that does, so that a release cannot say anything else of itself. */
import { AUDIT_FORMAT } from '../audit/line.ts';
import { ROOTS_FORMAT } from '../authority/root-files.ts';
import { ENVELOPE_FORMAT } from '../batch/envelope.ts';
import { DEAD_LETTER_FORMAT } from '../cache/dead-letter.ts';
import { DONE_NOTES_FORMAT } from '../cache/done-notes.ts';
import { INDEX_FORMAT } from '../cache/group-index.ts';
import { LOSS_JOURNAL_FORMAT } from '../cache/loss-journal.ts';
import { SEGMENT_FORMAT } from '../cache/segment-format.ts';
import { GROUP_FORMAT } from '../group/group-file.ts';
import { DATABASE_FORMAT } from '../management-group/database.ts';
import { OWN_SECRETS_FORMAT } from '../own-secrets.ts';
import { KEY_RING_FORMAT } from '../workspace/key-ring.ts';
import { SEAL_FORMAT } from '../workspace/seal.ts';
import type { Formats, ReleaseFacts } from './facts-schema.ts';

/** The oldest release that this one can follow without another in between. */
const FOLLOWS_FROM = '0.1.0';

/** By name. A file that is new to this release needs a name here as soon as an older one could trip over it. */
export const releaseFormats: Formats = {
  segment: SEGMENT_FORMAT,
  envelope: ENVELOPE_FORMAT,
  seal: SEAL_FORMAT,
  doneNotes: DONE_NOTES_FORMAT,
  deadLetter: DEAD_LETTER_FORMAT,
  lossJournal: LOSS_JOURNAL_FORMAT,
  index: INDEX_FORMAT,
  keyRing: KEY_RING_FORMAT,
  ownSecrets: OWN_SECRETS_FORMAT,
  audit: AUDIT_FORMAT,
  authority: ROOTS_FORMAT,
  managementGroup: DATABASE_FORMAT,
  group: GROUP_FORMAT,
};

/** What only the code knows of its release, for whoever makes its `release.json`. */
export const factsOfCode: Pick<ReleaseFacts, 'followsFrom' | 'formats'> = { followsFrom: FOLLOWS_FROM, formats: releaseFormats };
