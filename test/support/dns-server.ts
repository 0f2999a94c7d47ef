/** A name server on UDP that answers what the test wants: A, AAAA and CNAME questions, and NXDOMAIN for the rest. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const TYPES = { A: 1, CNAME: 5, AAAA: 28 } as const;
const CLASS_IN = 1;
const NO_SUCH_NAME = 3;
const HEAD_BYTES = 12;

/** What a name is: another name, or addresses. */
export type DnsRecord = { readonly cname: string } | { readonly a?: readonly string[]; readonly aaaa?: readonly string[] };

export interface DnsServer extends AsyncDisposable {
  /** Address and port, as a configuration names it. */
  readonly address: string;
  /** Changed while it runs: a poisoned answer is one line. */
  readonly records: Map<string, DnsRecord>;
  /** Names that were asked for. */
  readonly asked: string[];
}

export async function startDnsServer(records: Readonly<Record<string, DnsRecord>> = {}): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const known = new Map(Object.entries(records));
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const { name, type, questionEnd } = readQuestion(query);
    asked.push(name);
    socket.send(reply(query, questionEnd, answersFor(known, name, type), known.has(name)), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    records: known,
    asked,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

interface Answer {
  readonly name: string;
  readonly type: number;
  readonly data: Buffer;
}

// RFC 1034 §4.3.2: a CNAME is given with what it leads to, unless the CNAME itself was asked for.
function answersFor(records: ReadonlyMap<string, DnsRecord>, name: string, type: number): Answer[] {
  const found = records.get(name);
  if (!found) return [];
  if ('cname' in found) {
    const alias = { name, type: TYPES.CNAME, data: nameBytes(found.cname) };
    return type === TYPES.CNAME ? [alias] : [alias, ...answersFor(records, found.cname, type)];
  }
  if (type === TYPES.A) return (found.a ?? []).map((address) => ({ name, type, data: Buffer.from(address.split('.').map(Number)) }));
  return type === TYPES.AAAA ? (found.aaaa ?? []).map((address) => ({ name, type, data: ipv6Bytes(address) })) : [];
}

function reply(query: Buffer, questionEnd: number, answers: readonly Answer[], isKnown: boolean): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8580 | (isKnown ? 0 : NO_SUCH_NAME), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(answers.length, 6);
  const parts = answers.map(({ name, type, data }) => {
    const facts = Buffer.alloc(10);
    facts.writeUInt16BE(type, 0);
    facts.writeUInt16BE(CLASS_IN, 2);
    facts.writeUInt16BE(data.length, 8);
    return Buffer.concat([nameBytes(name), facts, data]);
  });
  return Buffer.concat([head, query.subarray(HEAD_BYTES, questionEnd), ...parts]);
}

function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly questionEnd: number } {
  const labels: string[] = [];
  let at = HEAD_BYTES;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), questionEnd: at + 5 };
}

function nameBytes(name: string): Buffer {
  return Buffer.concat([...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])]);
}

function ipv6Bytes(address: string): Buffer {
  const [left = '', right] = address.split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(left), groups(right ?? '')];
  const all = right === undefined ? before : [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
