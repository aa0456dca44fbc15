import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP relay on loopback that can be cut: while it is down it drops and refuses connections. */
export interface CuttableWire {
  readonly port: number;
  down(): Promise<void>;
  /** Everything stays connected, and nothing goes through any more, until `down`. */
  hang(): void;
  up(): Promise<void>;
}

export async function wireTo(host: string, port: number): Promise<CuttableWire> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let ownPort = 0;
  let hangs = false;
  const relay = (socket: Socket): void => {
    const other = connect(port, host);
    for (const end of [socket, other]) {
      sockets.add(end);
      end.on('error', () => undefined);
      end.on('close', () => {
        sockets.delete(end);
        socket.destroy();
        other.destroy();
      });
    }
    if (!hangs) socket.pipe(other).pipe(socket);
  };
  const up = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const fresh = createServer(relay).once('error', reject);
      server = fresh;
      fresh.listen(ownPort, '127.0.0.1', () => {
        ownPort = (fresh.address() as { port: number }).port;
        resolve();
      });
    });
  const hang = (): void => {
    hangs = true;
    for (const socket of sockets) socket.unpipe().pause();
  };
  const down = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
    server = undefined;
    hangs = false;
  };
  await up();
  return { port: ownPort, down, up, hang };
}
