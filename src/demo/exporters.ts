import { type Program, startProgram } from './program.ts';

/** Figures of this machine, by Debian's prometheus-node-exporter. Throws `relay.exporter.missing` when it is not installed. */
export function startNodeExporter(): Promise<Program> {
  return startProgram({
    command: 'prometheus-node-exporter',
    argsFor: (port) => [`--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'],
    readyPath: '/',
    missingCode: 'relay.exporter.missing',
    aptPackage: 'prometheus-node-exporter',
  });
}

/** Figures of the Redis on this Unix socket, by Debian's prometheus-redis-exporter. Throws `relay.exporter.missing` when it is not installed. */
export function startRedisExporter(socket: string): Promise<Program> {
  return startProgram({
    command: 'prometheus-redis-exporter',
    argsFor: (port) => [`--web.listen-address=127.0.0.1:${port}`, `--redis.addr=unix://${socket}`],
    readyPath: '/health',
    missingCode: 'relay.exporter.missing',
    aptPackage: 'prometheus-redis-exporter',
  });
}
