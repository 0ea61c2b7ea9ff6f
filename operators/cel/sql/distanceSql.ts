import { EARTH_RADIUS_KM } from '../../features/distanceKm.ts';
import { floatLiteral } from '../../sql/sqlText.ts';
import type { SqlNames } from './sqlNode.ts';

/** placesKm of four names of Float64, in the very steps of trigonometry.ts: the same bits. NaN where one is no place. */
export function distanceSql([a, b, c, d]: readonly [string, string, string, string], names: SqlNames): string {
  const sine = (degrees: string): string => sineSql(degrees, names);
  const square = (value: string): string => names.name([value], ([x = '']) => `(${x} * ${x})`);
  const north = square(sine(`((${c} - ${a}) / 2.0)`));
  const [cosineFrom, cosineTo] = [sine(`(90.0 - abs(${a}))`), sine(`(90.0 - abs(${c}))`)];
  const km = names.name([sine(`((${d} - ${b}) / 2.0)`)], ([east = '']) =>
    names.name([`(${north} + ${cosineFrom} * ${cosineTo} * ${east} * ${east})`], ([haversine = '']) => {
      const arc = arcsineSql(`sqrt(if(${haversine} > 1.0, 1.0, ${haversine}))`, names);
      return `(${floatLiteral(2 * EARTH_RADIUS_KM)} * ${arc})`;
    }),
  );
  const isPlace = `abs(${a}) <= 90.0 AND abs(${c}) <= 90.0 AND abs(${b}) <= 180.0 AND abs(${d}) <= 180.0`;
  return `if(${isPlace}, ${km}, nan)`;
}

const RADIANS = floatLiteral(Math.PI / 180);

function sineSql(degrees: string, names: SqlNames): string {
  return names.name([degrees], ([angle = '']) =>
    names.name([`if(abs(${angle}) > 90.0, 180.0 - abs(${angle}), abs(${angle}))`], ([acute = '']) => {
      const cosine = names.name([`((90.0 - ${acute}) * ${RADIANS})`], ([x = '']) => cosineKernelSql(x, names));
      const sine = names.name([`(${acute} * ${RADIANS})`], ([x = '']) => sineKernelSql(x, names));
      const size = `if(${acute} > 45.0, ${cosine}, ${sine})`;
      return `(if(${angle} < 0, -1.0, 1.0) * ${size})`;
    }),
  );
}

function sineKernelSql(x: string, names: SqlNames): string {
  return names.name([`(${x} * ${x})`], ([z = '']) => {
    const tail = `(2.75573137070700676789e-6 + ${z} * (-2.50507602534068634195e-8 + ${z} * 1.58969099521155010221e-10))`;
    const rest = `(8.33333333332248946124e-3 + ${z} * (-1.98412698298579493134e-4 + ${z} * ${tail}))`;
    return `(${x} + ${x} * ${z} * (-1.66666666666666324348e-1 + ${z} * ${rest}))`;
  });
}

function cosineKernelSql(x: string, names: SqlNames): string {
  return names.name([`(${x} * ${x})`], ([z = '']) => {
    const tail = `(-2.75573143513906633035e-7 + ${z} * (2.0875723212981748279e-9 + ${z} * -1.13596475577881948265e-11))`;
    const rest = `(-1.38888888888741095749e-3 + ${z} * (2.48015872894767294178e-5 + ${z} * ${tail}))`;
    return `(1.0 - (${z} / 2.0 - ${z} * ${z} * (4.16666666666666019037e-2 + ${z} * ${rest})))`;
  });
}

function arcsineSql(value: string, names: SqlNames): string {
  return names.name([value], ([x = '']) => {
    const above = names.name([`sqrt((1.0 - ${x}) / 2.0)`], ([y = '']) => arcsineKernelSql(y, names));
    return `if(${x} <= 0.5, ${arcsineKernelSql(x, names)}, ${floatLiteral(Math.PI / 2)} - 2.0 * ${above})`;
  });
}

function arcsineKernelSql(x: string, names: SqlNames): string {
  return names.name([`(${x} * ${x})`], ([z = '']) => {
    const tail = `(-4.00555345006794114027e-2 + ${z} * (7.91534994289814532176e-4 + ${z} * 3.4793310759602116757e-5))`;
    const upper = `(-3.25565818622400915405e-1 + ${z} * (2.01212532134862925881e-1 + ${z} * ${tail}))`;
    const above = `(${z} * (1.66666666666666657415e-1 + ${z} * ${upper}))`;
    const lower = `(2.02094576023350569471 + ${z} * (-6.8828397160545329303e-1 + ${z} * 7.70381505559019352791e-2))`;
    return `(${x} + ${x} * (${above} / (1.0 + ${z} * (-2.40339491173441421878 + ${z} * ${lower}))))`;
  });
}
