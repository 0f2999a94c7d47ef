import { parseDocument } from 'yaml';
import { RelayError } from '../errors.ts';

/** The answers under `relay` in a cloud's user-data (`#cloud-config`, YAML); undefined where there are none. Throws `relay.setup.bad-answers` for YAML that is none. */
export function answersOfUserData(text: string, from: string): unknown {
  if (!/^relay\s*:/m.test(text)) return undefined;
  return answersInYaml(text, from)?.['relay'];
}

/** What a YAML file of answers holds; undefined for an empty one. Throws `relay.setup.bad-answers`. */
export function answersInYaml(text: string, from: string): Readonly<Record<string, unknown>> | undefined {
  const document = parseDocument(text, { prettyErrors: false });
  const [fault] = [...document.errors, ...document.warnings];
  // Its message may show a line of the text, and with it a secret.
  if (fault)
    throw new RelayError('relay.setup.bad-answers', `The answers of ${from} are not YAML: ${fault.code} at character ${fault.pos[0]}. Nothing was changed.`);
  const value: unknown = document.toJS();
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw new RelayError('relay.setup.bad-answers', `The answers of ${from} are no mapping of names to answers. Nothing was changed.`);
}
