/** Whether controls can be seen and reached: nothing outside the page, cut off, or under something else. */
import type { Page } from '@playwright/test';

/** What is wrong, in words; empty where all is well. A modal dialog is looked at alone. */
export function findLayoutFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const root = document.querySelector('dialog:modal') ?? document.body;
    const isScrolled = (element: Element) =>
      /auto|scroll/.test(getComputedStyle(element).overflow) &&
      (element.scrollHeight > element.clientHeight + 1 || element.scrollWidth > element.clientWidth + 1);
    const inScroller = (element: Element) => {
      for (let one = element.parentElement; one; one = one.parentElement)
        if (one !== document.documentElement && isScrolled(one)) return true;
      return false;
    };
    const nameOf = (element: Element) =>
      `${element.tagName.toLowerCase()} "${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40)}"`;
    const controls = [
      ...root.querySelectorAll('button, a[href], input, select, summary, [role=slider], [role=button]'),
    ].filter(
      (element) =>
        element.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true }) &&
        !element.closest('.visually-hidden, .skip, [inert]') &&
        element.getBoundingClientRect().width > 1,
    );
    const faults: string[] = [];
    if (document.documentElement.scrollWidth > innerWidth) faults.push('the page scrolls sideways');
    for (const element of controls) {
      const { left, right, top, bottom, width, height } = element.getBoundingClientRect();
      const isReachable = inScroller(element) || document.documentElement.scrollHeight > innerHeight + 1;
      if (left < -1 || right > innerWidth + 1 || (!isReachable && (top < -1 || bottom > innerHeight + 1)))
        if (!inScroller(element)) faults.push(`${nameOf(element)} is outside of the page`);
      const style = getComputedStyle(element);
      if (/BUTTON|A|SUMMARY/.test(element.tagName) && style.textOverflow !== 'ellipsis')
        if (
          element.scrollWidth > element.clientWidth + 2 &&
          element.clientWidth > 0 &&
          style.display !== 'inline'
        )
          faults.push(`${nameOf(element)} does not hold its words`);
      if (left < 0 || right > innerWidth || top < 0 || bottom > innerHeight) continue;
      const hit = document.elementFromPoint(left + width / 2, top + height / 2);
      const isOwn =
        hit && (element.contains(hit) || hit.contains(element) || hit.closest('label')?.contains(element));
      if (!isOwn && !inScroller(element)) faults.push(`${nameOf(element)} lies under ${hit && nameOf(hit)}`);
    }
    return faults;
  });
}

/** Texts twice as large, as browsers offer it (WCAG 1.4.4). */
export const doubleText = (page: Page) =>
  page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
