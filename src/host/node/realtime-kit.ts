import { readNiceness, readPolicy, SCHED_RR } from './thread-control.js';

/**
 * Priority for users who may not set it themselves: a desktop's portal, or RealtimeKit, grants it to threads of the
 * user's own session. Asked over D-Bus by `dbus-native`, an optional peer dependency: what speaks D-Bus is no part of the
 * addon, and a negative niceness needs no addon at all.
 */

/** What is used of `dbus-native`. */
interface Bus {
  invoke(
    message: {
      destination: string;
      path: string;
      interface: string;
      member: string;
      signature: string;
      body: unknown[];
    },
    callback: (error: Error | null) => void,
  ): void;
  connection: { on(event: 'error', listener: (error: Error) => void): void; end(): void };
}
interface DbusNative {
  createClient(options: { busAddress: string }): Bus;
}

/** A service that grants priority. */
interface Broker {
  readonly name: string;
  readonly busAddress: string | undefined;
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  /** Ends the names of its methods. */
  readonly suffix: string;
  /** Types and values of what comes before the level: who asks. */
  readonly signature: string;
  readonly asks: (threadId: number) => bigint[];
}

/** Where the bus of the system is if nothing else is said (D-Bus specification, "System message bus"). */
const SYSTEM_BUS = 'unix:path=/var/run/dbus/system_bus_socket';
const PATIENCE_MS = 1000;

/** In the order of asking: the portal also reaches out of sandboxes. */
function brokers(): readonly Broker[] {
  const { DBUS_SESSION_BUS_ADDRESS: session, DBUS_SYSTEM_BUS_ADDRESS: system } = process.env;
  return [
    {
      name: 'portal',
      busAddress: session,
      destination: 'org.freedesktop.portal.Desktop',
      path: '/org/freedesktop/portal/desktop',
      interface: 'org.freedesktop.portal.Realtime',
      suffix: 'WithPID',
      signature: 'tt',
      asks: (threadId) => [BigInt(process.pid), BigInt(threadId)],
    },
    {
      name: 'RealtimeKit',
      busAddress: system ?? SYSTEM_BUS,
      destination: 'org.freedesktop.RealtimeKit1',
      path: '/org/freedesktop/RealtimeKit1',
      interface: 'org.freedesktop.RealtimeKit1',
      suffix: '',
      signature: 't',
      asks: (threadId) => [BigInt(threadId)],
    },
  ];
}

/** `high`: niceness, -15 (the most that RealtimeKit grants unless configured) to -1. `realtime`: priority, 1 to 20. */
export type Wanted = { readonly niceness: number } | { readonly realtimePriority: number };

export interface Raised {
  /** The call that did it, or null. */
  readonly mechanism: string | null;
  /** Why not, one reason for each service that was asked, or null. */
  readonly reason: string | null;
}

async function importDbus(): Promise<DbusNative | null> {
  try {
    // by a name that no bundler follows: it may be missing
    const name = 'dbus-native';
    return ((await import(name)) as { default: DbusNative }).default;
  } catch {
    return null;
  }
}

/** Whether brokers can be asked at all. */
export async function canAskBrokers(): Promise<boolean> {
  return process.platform === 'linux' && (await importDbus()) !== null;
}

/**
 * Asks for priority for a thread of this process, and reads it back. Never rejects; takes at most a second for each
 * service. Real-time is granted only to a thread that was prepared for it (ThreadRequest.brokered).
 */
export async function raiseThread(threadId: number, wanted: Wanted): Promise<Raised> {
  const dbus = await importDbus();
  if (dbus === null) return { mechanism: null, reason: 'RealtimeKit: dbus-native is not installed' };
  const isHigh = 'niceness' in wanted;
  const level = isHigh ? wanted.niceness : wanted.realtimePriority;
  const reasons: string[] = [];
  for (const broker of brokers()) {
    if (broker.busAddress === undefined) continue;
    const member = `${isHigh ? 'MakeThreadHighPriority' : 'MakeThreadRealtime'}${broker.suffix}`;
    const signature = `${broker.signature}${isHigh ? 'i' : 'u'}`;
    const body = [...broker.asks(threadId), level];
    const refusal = await ask(dbus, broker, broker.busAddress, { member, signature, body });
    const isInForce = isHigh ? readNiceness(threadId) === level : readPolicy(threadId) === SCHED_RR;
    if (refusal === null && isInForce) return { mechanism: `${broker.name} ${member} ${level}`, reason: null };
    reasons.push(`${broker.name}: ${refusal ?? 'granted, but not in force'}`);
  }
  return { mechanism: null, reason: reasons.join('; ') };
}

/** Null if it was granted, else why not. */
function ask(
  dbus: DbusNative,
  broker: Broker,
  busAddress: string,
  call: { member: string; signature: string; body: unknown[] },
): Promise<string | null> {
  return new Promise((resolve) => {
    let bus: Bus | null = null;
    const end = (refusal: string | null): void => {
      clearTimeout(timer);
      bus?.connection.end();
      resolve(refusal);
    };
    const timer = setTimeout(() => end(`no answer within ${PATIENCE_MS} ms`), PATIENCE_MS);
    try {
      bus = dbus.createClient({ busAddress });
      bus.connection.on('error', (error) => end(nameOf(error)));
      const { destination, path } = broker;
      bus.invoke({ destination, path, interface: broker.interface, ...call }, (error) =>
        end(error === null || error === undefined ? null : nameOf(error)),
      );
    } catch (error) {
      end(nameOf(error as Error));
    }
  });
}

/** The bus's own name of an error, the system's, or the text. */
function nameOf(error: Error & { dbusName?: string; code?: string }): string {
  return error.dbusName ?? error.code ?? error.message;
}
