import { describe, expect, test } from 'vitest';
import { cellLink, readLink, writeLink } from './viewerLink';

const read = (address: string) => {
  const url = new URL(address, 'http://localhost');
  return readLink(decodeURIComponent(url.pathname.split('/')[2] ?? ''), url.searchParams);
};

describe('the link to an exact view', () => {
  test('of a series alone leaves everything to the server', () => {
    expect(read('/viewer/1.2.3')).toEqual({
      layout: '1x1',
      cells: [cellLink('1.2.3')],
      active: 0,
      planes: null,
    });
  });

  test('comes back as it was written', () => {
    const link = {
      layout: '2x2' as const,
      active: 2,
      planes: null,
      cells: [
        cellLink('1.2.3', {
          stack: 0,
          slice: 151,
          window: { center: -600.5, width: 1500 },
          zoom: 2.25,
          pan: [0.125, -12] as [number, number],
          rotation: 270,
          isFlippedVertically: true,
          isInverted: true,
        }),
        null,
        cellLink('1.2.4', { slice: 7, isFlippedHorizontally: true }),
        null,
      ],
    };
    const address = writeLink(link, '1.2.3');
    expect(address).toBe(
      '/viewer/1.2.3?stack=0&slice=151&window=-600.5,1500&zoom=2.25&pan=0.125,-12&rotate=270&flip=v&invert=1' +
        '&layout=2x2&cells=~1.2.4;slice=7;flip=h&active=3',
    );
    expect(read(address)).toEqual(link);
  });

  test('names the planes of a volume, and leaves out what is as it begins', () => {
    const planes = {
      large: 'coronal',
      point: [1.25, -3, 40],
      slabMm: 10,
      projection: 'maximum',
    } as const;
    const address = writeLink({ layout: 'planes', cells: [cellLink('1.2')], active: 0, planes }, '1.2');
    expect(address).toBe(
      '/viewer/1.2?layout=planes&plane=coronal&point=1.25,-3,40&slab=10&projection=maximum',
    );
    expect(read(address).planes).toEqual(planes);
    const first = { large: 'axial', point: null, slabMm: 0, projection: 'average' };
    expect(read('/viewer/1.2?layout=planes&plane=oblique&point=1,2&slab=-4&projection=x').planes).toEqual(
      first,
    );
  });

  test('that was changed by hand keeps what can be understood', () => {
    const { cells, layout, active } = read(
      '/viewer/1.2.3?slice=-4&window=40,0&zoom=abc&pan=1&rotate=45&flip=x&invert=yes&layout=9x9&active=7&cells=<b>',
    );
    expect({ cells, layout, active }).toEqual({ cells: [cellLink('1.2.3')], layout: '1x1', active: 0 });
  });

  test('turns a whole turn and backwards into the same quarter', () => {
    expect(read('/viewer/1.2?rotate=-90').cells[0]?.rotation).toBe(270);
    expect(read('/viewer/1.2?rotate=450').cells[0]?.rotation).toBe(90);
  });

  test('leaves out a zoom and a pan that change nothing', () => {
    const cell = cellLink('1.2', { zoom: 1.00001, pan: [0, 0] });
    expect(writeLink({ layout: '1x1', cells: [cell], active: 0 }, '1.2')).toBe('/viewer/1.2');
  });
});
