import { createServer } from 'node:http';
import { expect, logIn, showName, patientPanel, test } from './journey';

test('posts from a foreign origin have no effect', async ({ page, context, running }) => {
  await logIn(page);
  const { apiUrl } = running.stack;
  const attacker = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<title>Attacker</title>');
  });
  await new Promise<void>((ready) => attacker.listen(0, '127.0.0.1', ready));
  const address = attacker.address();
  const port = address && typeof address === 'object' ? address.port : 0;
  try {
    // Same site, other origin: the browser sends the cookie, so only the check of Origin protects.
    const foreign = await context.newPage();
    await foreign.goto(`http://localhost:${port}/`);
    const read = await foreign.evaluate(async (api) => {
      const post = (path: string, mode: RequestMode) =>
        fetch(api + path, { method: 'POST', credentials: 'include', mode }).then(
          (response) => response.type,
          () => 'refused',
        );
      return [
        await post('/auth/refresh', 'cors'),
        await post('/auth/logout', 'cors'),
        await post('/auth/logout', 'no-cors'),
        await post('/auth/logout?everywhere=true', 'no-cors'),
      ];
    }, apiUrl);
    expect(read.slice(0, 2)).toEqual(['refused', 'refused']);
    await foreign.close();

    await page.reload();
    await showName(page);
    await expect(patientPanel(page)).toContainText('Yamada');
  } finally {
    attacker.close();
  }
});

test('pages carry the headers that keep others out', async ({ request }) => {
  const answer = await request.get('/dashboard');
  const headers = answer.headers();
  expect(headers['content-security-policy']).not.toContain('unsafe-inline');
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['referrer-policy']).toBe('no-referrer');
  expect(headers['cache-control']).toBe('no-store');
});
