import { DashboardLinkBuilder, DashboardLinkType } from '@grafana/grafana-foundation-sdk/dashboard';

/** The dashboards, in the order in which their links stand. The uid is part of the address and of the alerts: it stays. */
export const DASHBOARDS = [
  { uid: 'relay-overview', title: 'Overview', tooltip: 'Is all well, where does data wait, what leaves' },
  { uid: 'relay-cache', title: 'Cache and delivery', tooltip: 'What waits, for how long, and where everything went' },
  { uid: 'relay-agents', title: 'Agents', tooltip: 'Who sends, who is silent, what is refused' },
  { uid: 'relay-upstream', title: 'Upstream and network paths', tooltip: 'The workspaces, the roads to them, what they answer' },
  { uid: 'relay-appliance', title: 'Appliance', tooltip: 'Process, machine, disk and Redis' },
] as const;

export type DashboardUid = (typeof DASHBOARDS)[number]['uid'];

/** Links to the other dashboards, which keep the time and the choices. */
export function linksFrom(uid: DashboardUid): readonly DashboardLinkBuilder[] {
  return DASHBOARDS.filter((one) => one.uid !== uid).map((one) =>
    new DashboardLinkBuilder(one.title)
      .type(DashboardLinkType.Link)
      .url(`/d/${one.uid}`)
      .tooltip(one.tooltip)
      .icon('dashboard')
      .keepTime(true)
      .includeVars(true)
      .targetBlank(false),
  );
}
