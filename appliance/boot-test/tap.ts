import { runNow } from './programs.ts';

/** A network between host and machine, and nobody else: RFC 2544's range, which no real one uses. */
export const DIRECT = { host: '198.18.7.1', machine: '198.18.7.2', prefix: 24 } as const;
/** An address of the host that the machine reaches by that network only if its policy routing works: it lies in none of its networks. */
export const BEYOND = '198.18.9.1';

/** A tap device of the host. */
export interface Tap extends Disposable {
  readonly name: string;
}

/** Makes one with the host's addresses. Throws when this user may not. */
export function openTap(name: string): Tap {
  runNow('ip', ['tuntap', 'add', 'dev', name, 'mode', 'tap']);
  let isThere = true;
  const remove = (): void => {
    if (isThere) runNow('ip', ['link', 'delete', name]);
    isThere = false;
  };
  process.once('exit', remove);
  try {
    runNow('ip', ['address', 'add', `${DIRECT.host}/${DIRECT.prefix}`, 'dev', name]);
    runNow('ip', ['address', 'add', `${BEYOND}/32`, 'dev', name]);
    runNow('ip', ['link', 'set', name, 'up']);
  } catch (error) {
    remove();
    throw error;
  }
  return { name, [Symbol.dispose]: remove };
}
