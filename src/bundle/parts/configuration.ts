import { asYaml } from '../../configuration/as-yaml.ts';
import type { Part } from '../part.ts';
import type { BundleSite } from '../site.ts';

/** Every option as a file would hold it; of secrets only where their files are. */
export function configurationPart({ configured }: BundleSite): Part {
  return {
    file: 'configuration.yaml',
    what: 'every option in use; of secrets only the names of their files',
    // The file itself stays out: where an option is wrong, what stands there may be the secret.
    gather: async () => (configured.usable ? { text: asYaml(configured.configuration), note: configured.file } : { text: `${configured.reason}\n` }),
  };
}
