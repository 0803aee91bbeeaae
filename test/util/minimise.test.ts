import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { minimise } from "../../lib/util/minimise.js";

test("a bowl's lowest point, and its lowest point where none may be below zero", () => {
  const places = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(places, fc.integer({ min: 1, max: 100 }), (centre, steepness) => {
      // Σ_j a_j (x_j - c_j)² / 2, each axis steeper than the one before.
      const steep = centre.map((_, j) => 1 + (steepness * j) / 4);
      const slopeAt = (x: Float64Array) => ({
        value: x.reduce((sum, one, j) => sum + ((steep[j] ?? 0) * (one - (centre[j] ?? 0)) ** 2) / 2, 0),
        gradient: x.map((one, j) => (steep[j] ?? 0) * (one - (centre[j] ?? 0))),
      });
      const start = new Float64Array(centre.length);
      const free = minimise(slopeAt, start);
      const bounded = minimise(slopeAt, start, (x) => x.map((one) => Math.max(0, one)));
      centre.forEach((one, j) => {
        assert.ok(Math.abs((free[j] ?? NaN) - one) < 1e-4);
        assert.ok(Math.abs((bounded[j] ?? NaN) - Math.max(0, one)) < 1e-4);
      });
    }),
  );
});
