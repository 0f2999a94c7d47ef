/** Run in a namespace of its own: which of these ports answer at an address. `probe-ports.ts <address> <source> <port>…`; prints JSON. The kernel says when nobody answers. */
import { connect } from 'node:net';

const [host = '', localAddress = '', ...ports] = process.argv.slice(2);

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, localAddress });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

const found = await Promise.all(ports.map(Number).map(async (port) => ((await isOpen(port)) ? [port] : [])));
process.stdout.write(JSON.stringify(found.flat()));
