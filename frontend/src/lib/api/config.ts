/** Where the API is: asked once from the server of the pages, so that one build runs anywhere. */

interface Config {
  apiUrl: string;
  apiPort: number;
}

/** The API's origin for a page at `page`. Empty `apiUrl`: the page's own host name, so that cookies are shared. */
export function apiOrigin(config: Config, page: Pick<Location, 'protocol' | 'hostname'>): string {
  return config.apiUrl || `${page.protocol}//${page.hostname}:${config.apiPort}`;
}

let origin: Promise<string> | null = null;

/** The API's origin, without a slash at the end. */
export function apiUrl(): Promise<string> {
  origin ??= readConfig().then(
    (config) => apiOrigin(config, location),
    (error: unknown) => {
      origin = null;
      throw error;
    },
  );
  return origin;
}

async function readConfig(): Promise<Config> {
  const response = await fetch('/config.json', { cache: 'no-store' });
  return (await response.json()) as Config;
}
