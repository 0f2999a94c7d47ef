/** OTLP in JSON (`application/json`): keys in lowerCamelCase alone, ids in hexadecimal, enumerations as numbers, unknown keys ignored. */
import { isUtf8 } from 'node:buffer';
import { skipBlank, skipValue } from '../../../batch/json-scan.ts';
import { createFindings, type Findings } from './findings.ts';
import { eachElement, eachKey, parseExactly, parseJson } from './json-places.ts';
import { attributesIn, hexIn, nanosIn, objectIn, textIn, uint32In, valueIn } from './json-values.ts';
import { type LogRecord, MAX_RECORD_BYTES, malformed, type Scope } from './log-record.ts';
import type { ResourcePlaces, ScopePlaces, WireFormat } from './wire-format.ts';

export const jsonFormat: WireFormat = {
  type: 'application/json',
  find(body) {
    if (!isUtf8(body)) throw malformed('it is not in UTF-8');
    const findings = createFindings();
    const resources: ResourcePlaces[] = [];
    const resourceLogs = (at: number): number => resourcePlacesAt(body, at, findings, resources);
    const end = eachKey(body, skipBlank(body, 0), 'the request', findings, (key, at) =>
      key === 'resourceLogs' ? eachElement(body, at, key, findings, resourceLogs) : skipUnknown(body, at),
    );
    if (skipBlank(body, end) !== body.length) throw malformed('something follows the request');
    return resources;
  },
  readResource: (bytes) => attributesIn(objectIn(parseExactly(bytes, 'resource'), 'resource')['attributes']),
  readScope(bytes): Scope {
    const scope = objectIn(parseExactly(bytes, 'scope'), 'scope');
    return { name: textIn(scope['name'], 'name'), version: textIn(scope['version'], 'version'), attributes: attributesIn(scope['attributes']) };
  },
  readRecord(bytes): LogRecord {
    const record = objectIn(parseExactly(bytes, 'a log record'), 'a log record');
    return {
      time: nanosIn(record['timeUnixNano'], 'timeUnixNano'),
      observedTime: nanosIn(record['observedTimeUnixNano'], 'observedTimeUnixNano'),
      severityNumber: uint32In(record['severityNumber'], 'severityNumber'),
      severityText: textIn(record['severityText'], 'severityText'),
      body: valueIn(record['body'], 0) ?? undefined,
      attributes: attributesIn(record['attributes']),
      droppedAttributes: uint32In(record['droppedAttributesCount'], 'droppedAttributesCount'),
      flags: uint32In(record['flags'], 'flags'),
      traceId: hexIn(record['traceId'], 'traceId'),
      spanId: hexIn(record['spanId'], 'spanId'),
      eventName: textIn(record['eventName'], 'eventName'),
    };
  },
  writeResponse: (partial) =>
    Buffer.from(JSON.stringify(partial ? { partialSuccess: { rejectedLogRecords: String(partial.rejected), errorMessage: partial.message } } : {})),
  writeStatus: (status) => Buffer.from(JSON.stringify(status)),
};

function resourcePlacesAt(json: Buffer, begin: number, findings: Findings, resources: ResourcePlaces[]): number {
  findings.group();
  const scopes: ScopePlaces[] = [];
  let resource: Buffer | undefined;
  let schemaUrl = '';
  const scopeLogs = (at: number): number => scopePlacesAt(json, at, findings, scopes);
  const end = eachKey(json, begin, 'an element of resourceLogs', findings, (key, at) => {
    if (key === 'scopeLogs') return eachElement(json, at, key, findings, scopeLogs);
    if (key !== 'resource' && key !== 'schemaUrl') return skipUnknown(json, at);
    const valueEnd = skipValue(json, at);
    if (key === 'resource') resource = json.subarray(at, valueEnd);
    else schemaUrl = textIn(parseJson(json, at, valueEnd, key), key);
    return valueEnd;
  });
  resources.push({ resource, schemaUrl, scopes });
  return end;
}

function scopePlacesAt(json: Buffer, begin: number, findings: Findings, scopes: ScopePlaces[]): number {
  findings.group();
  const starts: number[] = [];
  const ends: number[] = [];
  let scope: Buffer | undefined;
  let schemaUrl = '';
  const logRecord = (at: number): number => {
    const recordEnd = skipValue(json, at);
    starts.push(at);
    ends.push(recordEnd);
    return recordEnd;
  };
  const end = eachKey(json, begin, 'an element of scopeLogs', findings, (key, at) => {
    if (key === 'logRecords') return eachElement(json, at, key, findings, logRecord);
    if (key !== 'scope' && key !== 'schemaUrl') return skipUnknown(json, at);
    const valueEnd = skipValue(json, at);
    if (key === 'scope') scope = json.subarray(at, valueEnd);
    else schemaUrl = textIn(parseJson(json, at, valueEnd, key), key);
    return valueEnd;
  });
  scopes.push({ scope, schemaUrl, bytes: json, starts, ends });
  return end;
}

// Too much to be made an object of is only stepped over.
function skipUnknown(json: Buffer, at: number): number {
  const end = skipValue(json, at);
  if (end - at <= MAX_RECORD_BYTES) parseJson(json, at, end, 'a value that is not known');
  return end;
}
