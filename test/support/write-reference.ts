/** Writes the README's generated tables: npm run reference */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { withGeneratedTables } from './generated-tables.ts';

const path = fileURLToPath(new URL('../../README.md', import.meta.url));
await writeFile(path, withGeneratedTables(await readFile(path, 'utf8')));
