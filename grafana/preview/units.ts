const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const COUNT = ['', 'K', 'Mil', 'Bil', 'Tri'];
const RATES: Readonly<Record<string, string>> = {
  reqps: 'req/s',
  ops: 'ops/s',
  cps: 'c/s',
  wps: 'w/s',
  rps: 'rd/s',
  iops: 'io/s',
  pps: 'p/s',
  eps: 'evt/s',
  mps: 'msg/s',
  recps: 'rec/s',
  hertz: 'Hz',
};
const TIMES: readonly (readonly [seconds: number, name: string])[] = [
  [31_536_000, 'years'],
  [604_800, 'weeks'],
  [86_400, 'days'],
  [3_600, 'hours'],
  [60, 'mins'],
  [1, 's'],
  [0.001, 'ms'],
  [0, 'µs'],
];

/** A value as Grafana shows it in `unit`: scaled, rounded, with its unit. Without `decimals` some three digits count. */
export function formatValue(value: number, unit = 'none', decimals?: number | null): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  switch (unit) {
    case 'bytes':
      return scaled(value, 1024, BINARY, decimals);
    case 'decbytes':
      return scaled(value, 1000, DECIMAL, decimals);
    case 'binBps':
      return `${scaled(value, 1024, BINARY, decimals)}/s`;
    case 'Bps':
      return `${scaled(value, 1000, DECIMAL, decimals)}/s`;
    case 'bps':
      return `${scaled(value, 1000, ['b', 'kb', 'Mb', 'Gb', 'Tb'], decimals)}/s`;
    case 's':
      return duration(value, decimals);
    case 'ms':
      return duration(value / 1000, decimals);
    case 'dtdurations':
    case 'dthms':
      return longDuration(value);
    case 'percent':
      return `${rounded(value, decimals)}%`;
    case 'percentunit':
      return `${rounded(value * 100, decimals)}%`;
    case 'short':
      return scaled(value, 1000, COUNT, decimals);
    case 'dateTimeAsIso':
    case 'dateTimeAsSystem':
    case 'dateTimeAsLocal':
      return new Date(value).toISOString().slice(0, 19).replace('T', ' ');
    case 'bool':
      return value === 0 ? 'False' : 'True';
    case 'bool_yes_no':
      return value === 0 ? 'No' : 'Yes';
    case 'bool_on_off':
      return value === 0 ? 'Off' : 'On';
    default:
      return named(value, unit, decimals);
  }
}

function named(value: number, unit: string, decimals?: number | null): string {
  const rate = RATES[unit];
  if (rate !== undefined) return `${scaled(value, 1000, COUNT, decimals)} ${rate}`;
  if (unit === 'none' || unit === 'locale' || unit === '') return rounded(value, decimals);
  const [kind, text = unit] = /^(?:suffix|prefix|si|short):/.test(unit) ? [unit.split(':')[0], unit.slice(unit.indexOf(':') + 1)] : [undefined, unit];
  return kind === 'prefix' ? `${text}${rounded(value, decimals)}` : `${rounded(value, decimals)} ${text.trim()}`;
}

/** A moment in UTC. */
export function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

function scaled(value: number, base: number, names: readonly string[], decimals?: number | null): string {
  let size = Math.abs(value);
  let step = 0;
  while (size >= base && step < names.length - 1) {
    size /= base;
    step++;
  }
  const name = names[step] ?? '';
  return `${rounded(Math.sign(value) * size, decimals)}${name === '' ? '' : ` ${name}`}`;
}

function duration(seconds: number, decimals?: number | null): string {
  if (seconds === 0) return '0 s';
  const [length, name] = TIMES.find(([least]) => Math.abs(seconds) >= least) ?? [1, 's'];
  const text = rounded(seconds / (length || 0.000_001), decimals);
  return `${text} ${text === '1' ? name.replace(/(.{3,})s$/, '$1') : name}`;
}

function longDuration(seconds: number): string {
  const whole = Math.round(Math.abs(seconds));
  const parts = [Math.floor(whole / 86_400), Math.floor(whole / 3_600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  const words = parts.map((part, index) => (part > 0 ? `${part}${'dhms'[index]}` : '')).filter((word) => word !== '');
  return `${seconds < 0 ? '-' : ''}${words.slice(0, 2).join(' ') || '0s'}`;
}

function rounded(value: number, decimals?: number | null): string {
  if (decimals !== undefined && decimals !== null) return value.toFixed(decimals);
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return String(Number(value.toFixed(size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 4)));
}
