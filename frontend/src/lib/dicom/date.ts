/** Dates of studies and births. They are calendar days: no time zone may move them. */

const ISO_DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

/** The day as the person's language writes it; text that is no date stays as it is. */
export function formatDay(day: string | null, locale?: string): string | null {
  if (!day) return null;
  const date = new Date(`${day}T00:00:00Z`);
  if (!ISO_DAY.test(day) || Number.isNaN(date.getTime())) return day;
  return new Intl.DateTimeFormat(locale, {
    timeZone: 'UTC',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  }).format(date);
}

/** A moment of any day, such as when a file was changed. */
export function formatMoment(moment: string | null, locale?: string): string {
  const date = new Date(moment ?? '');
  if (Number.isNaN(date.getTime())) return '–';
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(date);
}

/** A moment of today as a clock shows it. */
export function formatTime(moment: string | number, locale?: string): string {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return '–';
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' }).format(date);
}
