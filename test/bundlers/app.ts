import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmScript } from '../../scripts/native-tools.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FIXTURES = fileURLToPath(new URL('./fixtures', import.meta.url));
/** Installed by `npm ci --prefix test/bundlers`. */
export const BUNDLERS = fileURLToPath(new URL('./node_modules', import.meta.url));

export const bundlersAreThere = existsSync(BUNDLERS);

/** Apps in a folder of their own: the package is installed there from its tarball, the bundlers are found above. */
export class Apps {
  private readonly folder: string;
  private made: number;

  constructor() {
    this.made = 0;
    this.folder = mkdtempSync(join(tmpdir(), 'frame-deadline-bundlers-'));
    symlinkSync(BUNDLERS, join(this.folder, 'node_modules'));
    const installed = join(this.folder, 'installed');
    mkdirSync(installed);
    writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
    const npm = (cwd: string, ...args: string[]): string =>
      execFileSync(process.execPath, [npmScript()!, ...args], { cwd, encoding: 'utf8' });
    const [{ filename }] = JSON.parse(
      npm(ROOT, 'pack', '--json', '--ignore-scripts', '--pack-destination', this.folder),
    );
    npm(installed, 'install', '--prefer-offline', '--no-audit', '--no-fund', join(this.folder, filename));
  }

  /** A copy of a fixture with the sources that all share, and the package installed. */
  make(name: string): string {
    const app = join(this.folder, `${name}-${this.made++}`);
    cpSync(join(this.folder, 'installed'), app, { recursive: true, filter: (path) => !path.endsWith('.bin') });
    cpSync(join(FIXTURES, 'app'), join(app, 'src/app'), { recursive: true });
    cpSync(join(FIXTURES, 'tsconfig.json'), join(app, 'tsconfig.json'));
    cpSync(join(FIXTURES, name), app, { recursive: true });
    return app;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs a program of a bundler, or a file of the app, and gives what it printed. Throws that where it fails. */
export function run(app: string, script: string, ...args: string[]): string {
  const path = existsSync(join(app, script)) ? script : join(BUNDLERS, script);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], {
    cwd: app,
    env: { ...process.env, NODE_ENV: 'production', NO_COLOR: '1', FORCE_COLOR: '0' },
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`${script} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** Starts a development server, and gives the address that it prints. */
export function startServer(
  app: string,
  script: string,
  ...args: string[]
): Promise<{ url: string; log(): string; close(): void }> {
  const server = spawn(process.execPath, [join(BUNDLERS, script), ...args], {
    cwd: app,
    env: { ...process.env, NODE_ENV: 'development', NO_COLOR: '1', FORCE_COLOR: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  return new Promise((resolve, reject) => {
    const hear = (data: Buffer): void => {
      printed += data;
      const url = /http:\/\/(127\.0\.0\.1|localhost):\d+\//.exec(printed)?.[0];
      if (url !== undefined) resolve({ url, log: () => printed, close: () => server.kill() });
    };
    server.stdout.on('data', hear);
    server.stderr.on('data', hear);
    server.on('exit', (code) => reject(new Error(`${script} ended with ${code}\n${printed}`)));
  });
}
