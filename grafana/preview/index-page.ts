import { type Dashboard, placePanels } from './dashboard.ts';
import { escaped } from './svg.ts';

export interface Page {
  readonly dashboard: Dashboard;
  /** The picture's file, beside the page. */
  readonly file: string;
  readonly empty: readonly string[];
}

/** One page with the pictures of all dashboards, and what each panel means. */
export function indexPage(pages: readonly Page[]): string {
  const links = pages.map(({ dashboard }) => `<a href="#${dashboard.uid}">${escaped(dashboard.title)}</a>`).join(' · ');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Relay's dashboards</title>
<style>
  body { margin: 0 auto; max-width: 1400px; padding: 16px; background: #111217; color: #ccccdc; font: 15px/1.5 Inter, Helvetica, Arial, sans-serif; }
  a { color: #6e9fff; } img { width: 100%; height: auto; } dt { font-weight: 600; margin-top: 12px; } dd { margin: 0; color: #a5a5b3; } .empty { color: #f2495c; }
</style>
<h1>Relay's dashboards</h1>
<p>Drawn without Grafana from a real Prometheus: a demo site with an outage and the drain after it. ${links}</p>
${pages.map(section).join('\n')}
</html>
`;
}

function section({ dashboard, file, empty }: Page): string {
  const panels = placePanels(dashboard).filter(({ panel }) => panel.type !== 'row');
  const missing = empty.length > 0 ? `<p class="empty">No data: ${escaped(empty.join(', '))}</p>` : '';
  const list = panels.map(({ panel }) => `<dt>${escaped(panel.title ?? '')}</dt><dd>${paragraphs(panel.description ?? '')}</dd>`);
  return `<h2 id="${dashboard.uid}">${escaped(dashboard.title)}</h2>
<p>${escaped(dashboard.description ?? '')}</p>
${missing}<img src="${file}" alt="${escaped(dashboard.title)}">
<dl>${list.join('\n')}</dl>`;
}

// The little of Markdown that descriptions use.
function paragraphs(description: string): string {
  return escaped(description)
    .replace(/\*\*(.+?)\*\*/g, '<b>$1</b>')
    .replace(/`(.+?)`/g, '<code>$1</code>')
    .replace(/\[(.+?)\]\((.+?)\)/g, '<a href="$2">$1</a>')
    .split(/\n+/)
    .join('<br>');
}
