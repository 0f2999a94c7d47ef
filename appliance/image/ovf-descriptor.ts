/**
 * Writes the descriptor (OVF 1.x, DSP0243) of a virtual machine with this disk: hardware that every kernel of ours has drivers for (PVSCSI, VMXNET3,
 * an IDE drive for the answers), UEFI with Secure Boot where the hypervisor knows these settings, and the answers of the first boot as properties.
 */
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { AnswerName, offeredProperties as Offered } from '../../src/setup/answer-names.ts';

const PROCESSORS = 2;
const MEMORY_MIB = 4096;
const GIB = 1024 ** 3;
/** VMware's generation of virtual hardware: ESXi 6.5 and later. */
const HARDWARE = 'vmx-13';
/** CIM's numbers for kinds of hardware (CIM_ResourceAllocationSettingData). */
const KIND = { processor: 3, memory: 4, ide: 5, scsi: 6, ethernet: 10, cd: 15, disk: 17 } as const;

const [release = '', vmdk = '', version = '', diskGib = ''] = process.argv.slice(2);
// From the release itself: it has the packages that this needs, and it is what will read the answers.
const { offeredProperties }: { readonly offeredProperties: typeof Offered } = await import(join(release, 'app/src/setup/answer-names.ts'));
process.stdout.write(descriptor());

function descriptor(): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
    xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
    xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
    xmlns:vmw="http://www.vmware.com/schema/ovf" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <References>
    <File ovf:href="${asXml(basename(vmdk))}" ovf:id="file1" ovf:size="${statSync(vmdk).size}"/>
  </References>
  <DiskSection>
    <Info>The system, and room for the data; a larger disk or a second one gives more</Info>
    <Disk ovf:capacity="${Number(diskGib) * GIB}" ovf:capacityAllocationUnits="byte" ovf:diskId="disk1" ovf:fileRef="file1"
        ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
  </DiskSection>
  <NetworkSection>
    <Info>Networks</Info>
    <Network ovf:name="Agents"><Description>Where the agents are; the way out as well, unless another card is added for it</Description></Network>
  </NetworkSection>
  <VirtualSystem ovf:id="relay">
    <Info>A relay for log data</Info>
    <Name>Relay ${asXml(version)}</Name>
    <OperatingSystemSection ovf:id="96" vmw:osType="debian12_64Guest">
      <Info>The operating system</Info>
      <Description>Debian GNU/Linux 12 (64-bit)</Description>
    </OperatingSystemSection>
    <ProductSection>
      <Info>Answers for the first boot. What is left empty can be told later on the console, or with relay setup.</Info>
      <Product>Relay</Product>
      <Version>${asXml(version)}</Version>
${properties()}
    </ProductSection>
    <VirtualHardwareSection ovf:transport="iso com.vmware.guestInfo">
      <Info>Virtual hardware</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>relay</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>${HARDWARE}</vssd:VirtualSystemType>
      </System>
${items()}
      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>
      <vmw:Config ovf:required="false" vmw:key="bootOptions.efiSecureBootEnabled" vmw:value="true"/>
      <vmw:Config ovf:required="false" vmw:key="tools.syncTimeWithHost" vmw:value="false"/>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
`;
}

function items(): string {
  return [
    item({ AllocationUnits: 'hertz * 10^6', ElementName: 'Processors', InstanceID: 1, ResourceType: KIND.processor, VirtualQuantity: PROCESSORS }),
    item({ AllocationUnits: 'byte * 2^20', ElementName: 'Memory', InstanceID: 2, ResourceType: KIND.memory, VirtualQuantity: MEMORY_MIB }),
    item({ Address: 0, ElementName: 'SCSI', InstanceID: 3, ResourceSubType: 'VirtualSCSI', ResourceType: KIND.scsi }),
    item({ Address: 0, ElementName: 'IDE', InstanceID: 4, ResourceType: KIND.ide }),
    item({ AddressOnParent: 0, ElementName: 'Disk', HostResource: 'ovf:/disk/disk1', InstanceID: 5, Parent: 3, ResourceType: KIND.disk }),
    item({
      AddressOnParent: 0,
      AutomaticAllocation: false,
      ElementName: 'CD',
      InstanceID: 6,
      Parent: 4,
      ResourceSubType: 'vmware.cdrom.remotepassthrough',
      ResourceType: KIND.cd,
    }),
    item({
      AddressOnParent: 7,
      AutomaticAllocation: true,
      Connection: 'Agents',
      ElementName: 'Network',
      InstanceID: 7,
      ResourceSubType: 'VmxNet3',
      ResourceType: KIND.ethernet,
    }),
  ].join('\n');
}

// The schema wants an item's elements in the order of their names.
function item(elements: Readonly<Record<string, string | number | boolean>>): string {
  const lines = Object.entries(elements).map(([name, value]) => `        <rasd:${name}>${asXml(String(value))}</rasd:${name}>`);
  return `      <Item>\n${lines.join('\n')}\n      </Item>`;
}

function properties(): string {
  let category: string | undefined;
  return offeredProperties()
    .flatMap((property) => {
      const begins = property.category !== category;
      category = property.category;
      return begins ? [`      <Category>${asXml(property.category)}</Category>`, propertyElement(property)] : [propertyElement(property)];
    })
    .join('\n');
}

function propertyElement({ property, label, type, isSecret, description }: AnswerName): string {
  const password = isSecret ? ' ovf:password="true"' : '';
  const value = type === 'boolean' ? 'False' : '';
  return `      <Property ovf:key="${asXml(property)}" ovf:type="${type}" ovf:userConfigurable="true"${password} ovf:value="${value}">
        <Label>${asXml(label)}</Label>
        <Description>${asXml(description)}</Description>
      </Property>`;
}

function asXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
