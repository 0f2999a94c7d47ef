import { readXml, type XmlElement } from '../oms-protocol/xml.ts';

/**
 * The properties in an OVF environment document (DSP0243, 9.5): of the first PropertySection that has any. Undefined for what is no such document. The
 * caller caps its length.
 */
export function readOvfEnvironment(text: string): ReadonlyMap<string, string> | undefined {
  const root = readXml(text.trim());
  if (root?.name !== 'Environment') return undefined;
  const sections = root.children.filter(({ name }) => name === 'PropertySection');
  return sections.map(propertiesOf).find(({ size }) => size > 0) ?? new Map();
}

function propertiesOf({ children }: XmlElement): Map<string, string> {
  return new Map(
    children.flatMap(({ name, attributes: { key, value } }): [string, string][] => (name === 'Property' && key !== undefined ? [[key, value ?? '']] : [])),
  );
}
