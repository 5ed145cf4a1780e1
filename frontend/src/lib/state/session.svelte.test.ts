// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as auth from '$lib/api/auth';
import { ConnectionError, ProblemError, SignedOutError } from '$lib/api/problem';
import type { Me } from '$lib/api/types';
import { notices } from '$lib/messages';
import { attention } from './attention';
import { Session } from './session.svelte';

vi.mock('$lib/api/auth');

const me = (username: string, id = 's1'): Me => ({
  username,
  role: 'reader',
  session: {
    id,
    started: '2026-01-01T00:00:00Z',
    expires: new Date(Date.now() + 3.6e6).toISOString(),
    idle_seconds: 1800,
  },
});
const granted = (username: string, token: string, id = 's1') => ({
  access_token: token,
  token_type: 'bearer',
  expires_in: 900,
  username,
  session_id: id,
});
const refused = (code: string) => new ProblemError(401, code, '', '');

const open: Session[] = [];
function openTab(): Session {
  const session = new Session();
  open.push(session);
  return session;
}
const messagesArrive = () => new Promise((resolve) => setTimeout(resolve, 30));

beforeEach(() => {
  vi.mocked(auth.logIn).mockResolvedValue({ access_token: 't1', token_type: 'bearer', expires_in: 900 });
  vi.mocked(auth.readMe).mockResolvedValue(me('anna'));
  vi.mocked(auth.refresh).mockResolvedValue(granted('anna', 't1'));
  vi.mocked(auth.logOut).mockResolvedValue();
});

afterEach(() => {
  open.splice(0).forEach((session) => session.close());
  localStorage.clear();
  vi.resetAllMocks();
});

describe('start', () => {
  it('signs in by the session cookie', async () => {
    const session = openTab();
    await session.start();
    expect(session.phase).toBe('signed-in');
    expect(session.username).toBe('anna');
    expect(session.token).toBe('t1');
  });

  it('is signed out without one, and says nothing about it', async () => {
    vi.mocked(auth.refresh).mockRejectedValue(refused('not_authenticated'));
    const session = openTab();
    await session.start();
    expect(session.phase).toBe('signed-out');
    expect(session.notice).toBeNull();
  });

  it('says so when the session ended meanwhile', async () => {
    vi.mocked(auth.refresh).mockRejectedValue(refused('session_ended'));
    const session = openTab();
    await session.start();
    expect(session.notice).toBe(notices.sessionEnded);
  });

  it('leaves open who is signed in when the server is silent, and can ask again', async () => {
    vi.mocked(auth.refresh).mockRejectedValueOnce(new ConnectionError('unreachable', 'http://a'));
    const session = openTab();
    await expect(session.start()).rejects.toBeInstanceOf(ConnectionError);
    expect(session.phase).toBe('checking');
    await session.start();
    expect(session.phase).toBe('signed-in');
  });
});

describe('renew', () => {
  it('asks once for many requests that failed together', async () => {
    const session = openTab();
    await session.start();
    vi.mocked(auth.refresh).mockClear();
    vi.mocked(auth.refresh).mockResolvedValue(granted('anna', 't2'));
    await Promise.all(Array.from({ length: 10 }, () => session.renew('t1')));
    expect(auth.refresh).toHaveBeenCalledOnce();
    expect(session.token).toBe('t2');
  });

  it('does not ask when the rejected token was replaced meanwhile', async () => {
    const session = openTab();
    await session.start();
    vi.mocked(auth.refresh).mockClear();
    await session.renew('an older one');
    expect(auth.refresh).not.toHaveBeenCalled();
  });

  it('signs out a page that is looked at again after its session ended', async () => {
    const session = openTab();
    await session.start();
    vi.mocked(auth.refresh).mockRejectedValue(refused('session_ended'));
    await session.check();
    expect(session.phase).toBe('signed-out');
    expect(session.token).toBeNull();
    expect(session.notice).toBe(notices.sessionEnded);
    expect(session.loggedOut).toBe(false);
  });

  it('keeps the session when the server is only silent', async () => {
    const session = openTab();
    await session.start();
    vi.mocked(auth.refresh).mockRejectedValue(new ConnectionError('unreachable', 'http://a'));
    await expect(session.renew('t1')).rejects.toBeInstanceOf(ConnectionError);
    expect(session.phase).toBe('signed-in');
  });

  it('never answers one person’s request as another', async () => {
    const session = openTab();
    await session.start();
    vi.mocked(auth.refresh).mockResolvedValue(granted('bert', 't9', 's9'));
    await expect(session.renew('t1')).rejects.toBeInstanceOf(SignedOutError);
    expect(session.username).toBe('bert');
  });

  it('does not bring a session back that was logged out meanwhile', async () => {
    const session = openTab();
    await session.start();
    let answer: (grant: ReturnType<typeof granted>) => void = () => {};
    vi.mocked(auth.refresh).mockReturnValue(new Promise((resolve) => (answer = resolve)));
    const renewal = session.renew('t1');
    await session.logOut();
    answer(granted('anna', 't2'));
    await expect(renewal).rejects.toBeInstanceOf(SignedOutError);
    expect(session.phase).toBe('signed-out');
  });
});

describe('a session that ends by itself under an open page', () => {
  async function interrupt() {
    const session = openTab();
    await session.start();
    vi.mocked(auth.refresh).mockRejectedValue(refused('session_ended'));
    const settled = vi.fn();
    const waiting = session.renew('t1');
    waiting.then(
      () => settled('came'),
      (error: unknown) => settled(error),
    );
    await vi.waitFor(() => expect(session.phase).toBe('interrupted'));
    return { session, waiting, settled };
  }

  it('is noticed also by a page that asks for nothing', async () => {
    const session = openTab();
    await session.start();
    await messagesArrive();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const stop = session.follow();
    // As the client does with a 401.
    vi.mocked(auth.refresh).mockRejectedValue(refused('session_ended'));
    vi.mocked(auth.readMe).mockImplementation(async () => {
      await session.renew('t1');
      return me('anna');
    });
    vi.advanceTimersByTime(15_000);
    await vi.waitFor(() => expect(session.phase).toBe('interrupted'));
    stop();
    vi.useRealTimers();
  });

  it('keeps whose page it is, and no token', async () => {
    const { session, settled } = await interrupt();
    expect(session.username).toBe('anna');
    expect(session.token).toBeNull();
    expect(settled).not.toHaveBeenCalled();
  });

  it('lets requests go on once the same person is back', async () => {
    const { session, waiting } = await interrupt();
    const another = session.renew(null);
    vi.mocked(auth.logIn).mockResolvedValue({ access_token: 't3', token_type: 'bearer', expires_in: 900 });
    await session.logIn('anna', 'secret');
    await Promise.all([waiting, another]);
    expect(session.phase).toBe('signed-in');
    expect(session.token).toBe('t3');
    expect(session.notice).toBeNull();
  });

  it('answers none of them for another person', async () => {
    const { session, waiting } = await interrupt();
    vi.mocked(auth.readMe).mockResolvedValue(me('bert', 's2'));
    await session.logIn('bert', 'secret');
    await expect(waiting).rejects.toBeInstanceOf(SignedOutError);
    expect(session.username).toBe('bert');
    expect(session.notice).toEqual(notices.startedAfresh('bert'));
  });

  it('waits on after a wrong password', async () => {
    const { session, settled } = await interrupt();
    vi.mocked(auth.logIn).mockRejectedValue(refused('invalid_credentials'));
    await expect(session.logIn('anna', 'wrong')).rejects.toBeInstanceOf(ProblemError);
    expect(session.phase).toBe('interrupted');
    expect(settled).not.toHaveBeenCalled();
  });

  it('is left by log-out, which answers nothing', async () => {
    const { session, waiting } = await interrupt();
    await session.logOut();
    await expect(waiting).rejects.toBeInstanceOf(SignedOutError);
    expect(session.phase).toBe('signed-out');
    expect(session.username).toBeNull();
    expect(session.loggedOut).toBe(true);
  });

  it('interrupts the other tabs, too, and one log-in is for all', async () => {
    const other = openTab();
    await other.start();
    const { session } = await interrupt();
    await messagesArrive();
    expect(other.phase).toBe('interrupted');
    await session.logIn('anna', 'secret');
    await messagesArrive();
    expect(other.phase).toBe('signed-in');
  });

  it('leaves in every tab when somebody logs out in one', async () => {
    const { session } = await interrupt();
    const other = openTab();
    vi.mocked(auth.refresh).mockResolvedValue(granted('anna', 't4'));
    await other.start();
    await other.logOut();
    await messagesArrive();
    expect(session.phase).toBe('signed-out');
    expect(session.notice).toBe(notices.loggedOutElsewhere);
  });
});

describe('logOut', () => {
  it('forgets at once and tells the server', async () => {
    const session = openTab();
    await session.start();
    const leaving = session.logOut();
    expect(session.username).toBeNull();
    expect(session.token).toBeNull();
    await leaving;
    expect(auth.logOut).toHaveBeenCalledWith('t1', false);
    expect(session.phase).toBe('signed-out');
    expect(session.notice).toBe(notices.loggedOut);
  });

  it('says so when the server could not be told, and the next start makes up for it', async () => {
    vi.mocked(auth.logOut).mockRejectedValueOnce(new ConnectionError('unreachable', 'http://a'));
    const session = openTab();
    await session.start();
    await session.logOut();
    expect(session.notice).toBe(notices.loggedOutOnlyHere);

    vi.mocked(auth.refresh).mockClear();
    const reloaded = openTab();
    await reloaded.start();
    expect(auth.refresh).not.toHaveBeenCalled();
    expect(auth.logOut).toHaveBeenLastCalledWith(null, false);
    expect(reloaded.phase).toBe('signed-out');
    expect(reloaded.notice).toBe(notices.loggedOut);
  });
});

describe('two tabs', () => {
  it('are logged out together', async () => {
    const [one, two] = [openTab(), openTab()];
    await one.start();
    await two.start();
    await one.logOut();
    await messagesArrive();
    expect(two.phase).toBe('signed-out');
    expect(two.token).toBeNull();
    expect(two.notice).toBe(notices.loggedOutElsewhere);
  });

  it('share a new token', async () => {
    const [one, two] = [openTab(), openTab()];
    await one.start();
    await two.start();
    vi.mocked(auth.refresh).mockResolvedValue(granted('anna', 't2'));
    await one.renew('t1');
    await messagesArrive();
    expect(two.token).toBe('t2');
  });

  it('belong to whoever logged in last', async () => {
    const [one, two] = [openTab(), openTab()];
    await one.start();
    await two.start();
    vi.mocked(auth.readMe).mockResolvedValue(me('bert', 's2'));
    await one.logIn('bert', 'secret');
    await messagesArrive();
    expect(two.username).toBe('bert');
    expect(two.notice).toEqual(notices.otherUser('bert'));
  });

  it('log in together', async () => {
    vi.mocked(auth.refresh).mockRejectedValue(refused('not_authenticated'));
    const [one, two] = [openTab(), openTab()];
    await one.start();
    await two.start();
    await one.logIn('anna', 'secret');
    await messagesArrive();
    expect(two.phase).toBe('signed-in');
  });
});

describe('an unattended page', () => {
  it('is cleared when the session’s idle time is over, and the server is told', async () => {
    const idle = me('anna');
    idle.session.idle_seconds = 600;
    vi.mocked(auth.readMe).mockResolvedValue(idle);
    const session = openTab();
    await session.start();
    await messagesArrive();
    const quiet = vi.spyOn(attention, 'quietFor', 'get');
    quiet.mockReturnValue(599_000);
    await session.lookAgain();
    expect(session.phase).toBe('signed-in');
    quiet.mockReturnValue(600_001);
    await session.lookAgain();
    expect(session.phase).toBe('interrupted');
    expect(session.token).toBeNull();
    expect(auth.logOut).toHaveBeenCalledWith('t1', false);
  });
});

describe('storage', () => {
  it('never holds a token', async () => {
    const session = openTab();
    await session.start();
    await session.renew('t1');
    await session.logOut();
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toMatch(/t1|anna/);
  });
});
