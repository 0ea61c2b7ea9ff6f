/**
 * Sine, cosine and arcsine whose every bit is the same wherever they run: additions, multiplications, divisions and square
 * roots only, which IEEE 754 rounds exactly, where Math.sin and the others may differ between versions of Node. The
 * polynomials are those of fdlibm (Sun Microsystems 1993, k_sin.c, k_cos.c and e_asin.c). Angles are in degrees, since
 * degrees can be brought into the first eighth of a circle without rounding. Relative error below 1e-15.
 */

const RADIANS = Math.PI / 180;

/** Of an angle from -180 to 180 degrees. */
export function sineOfDegrees(degrees: number): number {
  const size = Math.abs(degrees);
  const acute = size > 90 ? 180 - size : size;
  const sine = acute > 45 ? cosineKernel((90 - acute) * RADIANS) : sineKernel(acute * RADIANS);
  return degrees < 0 ? -sine : sine;
}

/** Of an angle from -90 to 90 degrees. */
export function cosineOfDegrees(degrees: number): number {
  return sineOfDegrees(90 - Math.abs(degrees));
}

/** In radians, of a number from 0 to 1. */
export function arcsine(x: number): number {
  return x <= 0.5 ? arcsineKernel(x) : Math.PI / 2 - 2 * arcsineKernel(Math.sqrt((1 - x) / 2));
}

/** Of radians from 0 to pi / 4. */
function sineKernel(x: number): number {
  const z = x * x;
  const tail = 2.75573137070700676789e-6 + z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10);
  const rest = 8.33333333332248946124e-3 + z * (-1.98412698298579493134e-4 + z * tail);
  return x + x * z * (-1.66666666666666324348e-1 + z * rest);
}

/** Of radians from 0 to pi / 4. */
function cosineKernel(x: number): number {
  const z = x * x;
  const tail = -2.75573143513906633035e-7 + z * (2.0875723212981748279e-9 + z * -1.13596475577881948265e-11);
  const rest = -1.38888888888741095749e-3 + z * (2.48015872894767294178e-5 + z * tail);
  return 1 - (z / 2 - z * z * (4.16666666666666019037e-2 + z * rest));
}

/** Of a number from 0 to 1/2. */
function arcsineKernel(x: number): number {
  const z = x * x;
  const tail = -4.00555345006794114027e-2 + z * (7.91534994289814532176e-4 + z * 3.4793310759602116757e-5);
  const above =
    z * (1.66666666666666657415e-1 + z * (-3.25565818622400915405e-1 + z * (2.01212532134862925881e-1 + z * tail)));
  const below =
    1 +
    z *
      (-2.40339491173441421878 +
        z * (2.02094576023350569471 + z * (-6.8828397160545329303e-1 + z * 7.70381505559019352791e-2)));
  return x + x * (above / below);
}
