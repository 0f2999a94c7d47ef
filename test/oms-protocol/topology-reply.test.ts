import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readTopologyReply, type TopologyReply, writeTopologyReply } from '../../src/oms-protocol/topology-reply.ts';
import { readXml } from '../../src/oms-protocol/xml.ts';

const REPLY: TopologyReply = {
  renewalAddress: 'https://3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f.oms.relay.test/ConfigurationService.Svc/RenewCertificate',
  renewCertificate: false,
  configurationAddress: "https://relay.test/Accounts/3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f/Nodes(AgentId='7d54bebf-7428-4660-a7e5-ba4b04f1144f')",
  topologyIntervalS: 1200,
  telemetryIntervalS: 300,
  id: '628a6594-a618-4da4-a989-bcd9a322d403',
};

interface AgentReading {
  readonly renewCertificate: string | undefined;
  readonly renewalAddress: string;
  readonly configurationAddress: string;
  readonly topologyInterval: string | undefined;
  readonly telemetryInterval: string | undefined;
}

// What the Linux agent takes from an answer, by the rules of §1.7: every item on one line, everything as greedy as it can be.
function readAsAgent(text: string): AgentReading {
  const renewal = text.split('\n').find((line) => /<CertificateUpdateEndpoint.*CertificateUpdateEndpoint>/.test(line)) ?? '';
  const address = renewal.slice(renewal.lastIndexOf('https', renewal.lastIndexOf('RenewCertificate')), renewal.lastIndexOf('RenewCertificate') + 16);
  const configuration = text.split('\n').find((line) => /<DscConfiguration.*DscConfiguration>/.test(line)) ?? '';
  const endpoint = configuration.slice(configuration.lastIndexOf('<Endpoint>') + 10, configuration.lastIndexOf('</Endpoint>'));
  return {
    renewCertificate: /updateCertificate="(true|false)"/.exec(renewal)?.[1],
    renewalAddress: address,
    configurationAddress: endpoint,
    topologyInterval: /queryInterval="(.*?)"/.exec(text)?.[1],
    telemetryInterval: /telemetryReportInterval="(.*?)"/.exec(text)?.[1],
  };
}

// As the service itself answers, with one attribute or element changed.
function answer(changes: { interval?: string; renewal?: string; configuration?: string } = {}): string {
  const interval = changes.interval ?? 'queryInterval="PT1H"';
  const renewal =
    changes.renewal ??
    '<CertificateUpdateEndpoint updateCertificate="true">https://a.example/ConfigurationService.Svc/RenewCertificate</CertificateUpdateEndpoint>';
  const configuration =
    changes.configuration ?? '<DscConfiguration><Endpoint>https://b.example</Endpoint><NodeConfigurationName>x</NodeConfigurationName></DscConfiguration>';
  return `<?xml version="1.0" encoding="utf-8"?><LinuxAgentTopologyResponse ${interval} telemetryReportInterval="PT10M" id="x">${renewal}${configuration}</LinuxAgentTopologyResponse>`;
}

describe('writeTopologyReply', () => {
  it('is one line of well-formed XML, as agents need it', () => {
    const text = writeTopologyReply(REPLY);
    assert.equal(/[\r\n]/.test(text), false);
    assert.equal(readXml(text)?.name, 'LinuxAgentTopologyResponse');
    assert.ok(text.includes(`id="${REPLY.id}"`));
  });

  for (const renewCertificate of [true, false]) {
    it(`gives the agent every item, with renewCertificate ${renewCertificate}`, () => {
      assert.deepEqual(readAsAgent(writeTopologyReply({ ...REPLY, renewCertificate })), {
        renewCertificate: String(renewCertificate),
        renewalAddress: REPLY.renewalAddress,
        configurationAddress: REPLY.configurationAddress,
        topologyInterval: 'PT1200S',
        telemetryInterval: 'PT300S',
      });
    });
  }

  it('gives the agent an address with a port and a user before the host', () => {
    const renewalAddress = 'https://x@10.0.0.5:8443/ConfigurationService.Svc/RenewCertificate';
    assert.equal(readAsAgent(writeTopologyReply({ ...REPLY, renewalAddress })).renewalAddress, renewalAddress);
  });

  it('keeps the intervals within what agents honour, in whole seconds', () => {
    const cases = [
      { asked: [1, 1], given: ['PT60S', 'PT60S'] },
      { asked: [60, 60], given: ['PT60S', 'PT60S'] },
      { asked: [90.4, 3600], given: ['PT90S', 'PT3600S'] },
      { asked: [604_800, 3601], given: ['PT604800S', 'PT3600S'] },
      { asked: [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], given: ['PT604800S', 'PT3600S'] },
    ];
    for (const { asked, given } of cases) {
      const [topologyIntervalS = 0, telemetryIntervalS = 0] = asked;
      const read = readAsAgent(writeTopologyReply({ ...REPLY, topologyIntervalS, telemetryIntervalS }));
      assert.deepEqual([read.topologyInterval, read.telemetryInterval], given);
    }
  });
});

describe('readTopologyReply', () => {
  it('reads back what is written', () => {
    for (const renewCertificate of [true, false]) {
      const { renewalAddress, topologyIntervalS } = REPLY;
      assert.deepEqual(readTopologyReply(writeTopologyReply({ ...REPLY, renewCertificate })), { renewCertificate, renewalAddress, topologyIntervalS });
    }
  });

  it('reads an answer as the service writes it', () => {
    const renewalAddress = 'https://a.example/ConfigurationService.Svc/RenewCertificate';
    assert.deepEqual(readTopologyReply(answer()), { renewCertificate: true, renewalAddress, topologyIntervalS: 3600 });
  });

  const durations: readonly (readonly [text: string, seconds: number | undefined])[] = [
    ['PT20M', 1200],
    ['PT1H', 3600],
    ['PT90S', 90],
    ['PT1H30M15S', 5415],
    ['P1D', 86_400],
    ['P1DT2H', 93_600],
    ['P7D', 604_800],
    ['PT0S', 60],
    ['PT59S', 60],
    ['P8D', 604_800],
    ['PT99999999999999999999S', 604_800],
    ['', undefined],
    ['P', undefined],
    ['PT', undefined],
    ['P1DT', undefined],
    ['20M', undefined],
    ['PT20', undefined],
    ['PT-20M', undefined],
    ['PT1.5H', undefined],
    ['pt20m', undefined],
    ['PT20M ', undefined],
    ['P1M', undefined],
    ['PT15S20M', undefined],
    ['1200', undefined],
  ];
  for (const [text, seconds] of durations) {
    it(`reads the duration "${text}" as ${seconds === undefined ? 'none' : `${seconds} seconds`}`, () => {
      assert.equal(readTopologyReply(answer({ interval: `queryInterval="${text}"` }))?.topologyIntervalS, seconds);
    });
  }

  const bad: Readonly<Record<string, string>> = {
    'nothing at all': '',
    'no interval': answer({ interval: '' }),
    'an interval in single quotes': answer({ interval: "queryInterval='PT1H'" }),
    'no renewal address': answer({ renewal: '' }),
    'a renewal address that is not https': answer().replace('https://a', 'http://a'),
    'a renewal address that ends otherwise': answer().replace('RenewCertificate<', 'Renew<'),
    'a flag that is neither true nor false': answer().replace('"true"', '"True"'),
    'a flag in single quotes': answer().replace('"true"', "'true'"),
    'a renewal address on two lines': answer().replace('a.example/', 'a.example\n/'),
    'no configuration': answer({ configuration: '' }),
    'an empty configuration address': answer({ configuration: '<DscConfiguration><Endpoint></Endpoint></DscConfiguration>' }),
    'a configuration on several lines': answer({ configuration: '<DscConfiguration>\n<Endpoint>https://b</Endpoint>\n</DscConfiguration>' }),
    'more than 64 KiB': answer() + ' '.repeat(65_536),
  };
  for (const [what, text] of Object.entries(bad)) {
    it(`refuses ${what}`, () => assert.equal(readTopologyReply(text), undefined));
  }

  it('refuses hostile repetition without searching for long', () => {
    for (const piece of [
      '<DscConfiguration>',
      '<DscConfiguration><Endpoint>',
      '<CertificateUpdateEndpoint updateCertificate="true">https',
      'queryInterval="',
    ]) {
      assert.equal(readTopologyReply(piece.repeat(65_536 / piece.length)), undefined);
    }
  });
});
