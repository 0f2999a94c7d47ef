import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changesBetween, enterConfigurationChange } from '../../src/audit/configuration-change.ts';
import type { AuditEvent } from '../../src/audit/entry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a change of the configuration', () => {
  it('is entered at the next start, once, option by option', async () => {
    await using folder = await temporaryFolder();
    const entered: AuditEvent[] = [];
    const start = (configuration: unknown): Promise<void> => enterConfigurationChange(folder.path, configuration, (event) => void entered.push(event));
    await start({ cache: { limit: '1GiB' } });
    await start({ cache: { limit: '1GiB' } });
    await start({ cache: { limit: '2GiB' } });
    assert.deepEqual(
      entered.map(({ action, detail }) => [action, detail]),
      [
        ['configuration.change', 'the first one'],
        ['configuration.change', 'cache.limit: "1GiB" → "2GiB"'],
      ],
    );
  });

  it('names options that came, went and changed, in lists too', () => {
    assert.deepEqual(changesBetween({ a: 1, list: [{ id: 'x' }] }, { list: [{ id: 'y' }], b: true }), [
      'a: 1 → none',
      'list.0.id: "x" → "y"',
      'b: none → true',
    ]);
  });
});
