/** With a replica in `sync`, who registers an agent, or changes locks and retention, is answered once that is on both disks, as who sends data is. */
import type { Plugin, Request } from '@hapi/hapi';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { DIAGNOSTICS_PATH, UPLOAD_PATH } from '../../oms-protocol/paths.ts';
import type { HostedWorkspace, HostedWorkspaces } from '../hosted-workspace.ts';
import { refuse } from '../replies.ts';
import { serviceOf } from '../service-path.ts';

const DATA_PATHS = [UPLOAD_PATH, DIAGNOSTICS_PATH];

/** To be registered with each server by which workspaces are changed. What could not be copied is done on the first disk, and answered with 503. */
export function answersWhenCopied(workspaces: HostedWorkspaces, log: Logger): Plugin<void> {
  const replicas = [...workspaces.values()].flatMap(({ replica }) => replica ?? []);
  const before = new WeakMap<Request, readonly number[]>();
  return {
    name: 'answers-when-copied',
    register(server) {
      if (replicas.length === 0) return;
      server.ext('onPreHandler', (request, h) => {
        if (!bringsData(request)) before.set(request, replicas.map(registrationsOf));
        return h.continue;
      });
      server.ext('onPreResponse', async (request, h) => {
        const then = before.get(request);
        if (!then) return h.continue;
        try {
          for (const [at, replica] of replicas.entries()) if (registrationsOf(replica) !== then[at]) await replica.registrationsCopied();
          return h.continue;
        } catch (cause) {
          log.warn({ path: request.path, reason: messageOf(cause) }, 'what was asked for is done, and is not on the second disk yet');
          return refuse(h, request.path, {
            status: 503,
            code: 'ServiceUnavailable',
            message: 'It is done, but its second copy cannot be written. Ask again later.',
          });
        }
      });
    },
  };
}

// Uploads wait for their own copies, and never for what others register meanwhile.
function bringsData({ path }: Request): boolean {
  return DATA_PATHS.some((each) => each.toLowerCase() === path.toLowerCase()) || serviceOf(path) === 'ingestion';
}

function registrationsOf({ registrations }: Pick<NonNullable<HostedWorkspace['replica']>, 'registrations'>): number {
  return registrations();
}
