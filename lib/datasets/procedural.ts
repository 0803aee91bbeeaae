import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { sha256 } from "../util/files.js";
import { randomStream, type RandomStream } from "../util/random.js";
import type { ImageSet } from "./dataset.js";
import { valuesPerImage } from "../util/image-size.js";
import type { ProceduralSource } from "./source.js";

/**
 * An image set made by rule, whose typicality is known: the embedded default.
 *
 * Class k is a shape, a texture and a colour of its own on a varied background. Each example has a latent
 * atypicality a in [0, 1), a = u^2 with u uniform, so that most examples are typical, as in natural sets.
 * With a grow, all smoothly: the part of a second class's shape, texture and colour (below one half for shape
 * and texture, so that the label stays right), tilt, displacement, size, faintness, clutter and noise.
 * The known typicality, 1 - 0.95 a in (0, 1], takes the place of the C-score.
 */
export function proceduralSplit(source: ProceduralSource, split: "train" | "test"): ImageSet {
  const { classes, size: side, seed } = source;
  const count = source[split];
  const size = { height: side, width: side };
  const values = valuesPerImage(size);
  const images = new Uint8Array(count * values);
  for (let n = 0; n < count; n++) {
    const stream = streamOfImage(seed, split, n);
    const atypicality = stream.uniform() ** 2;
    const scene = drawScene(n % classes, classes, atypicality, stream);
    render(scene, side, images.subarray(n * values, (n + 1) * values), stream);
  }
  return {
    images,
    labels: Int32Array.from({ length: count }, (_, n) => n % classes),
    ids: Int32Array.from({ length: count }, (_, n) => n),
    size,
    classNames: Array.from({ length: classes }, (_, k) => className(k)),
    cScores: proceduralTypicality(source, split),
  };
}

/** The known typicality of each image, without the images. */
export function proceduralTypicality(source: ProceduralSource, split: "train" | "test"): Float32Array {
  return Float32Array.from(
    { length: source[split] },
    (_, n) => 1 - 0.95 * streamOfImage(source.seed, split, n).uniform() ** 2,
  );
}

function streamOfImage(seed: number, split: "train" | "test", n: number): RandomStream {
  return randomStream(seed, `procedural/${split}/${n}`);
}

/**
 * Hash of all that decides the images besides their settings: this file and the random streams as they run, and the
 * engine and processor, whose sine may differ in the last bit.
 */
export async function proceduralCode(): Promise<string> {
  const ending = extname(import.meta.url);
  const texts = await Promise.all(
    ["./procedural", "../util/random"].map((name) => readFile(new URL(name + ending, import.meta.url))),
  );
  return sha256([...texts, Buffer.from(`${process.versions.v8} ${process.arch}`)]);
}

type Colour = readonly [number, number, number];
type Field = (u: number, v: number) => number;

/** Signed distance to the outline, negative inside, for shapes that fit the unit circle. */
const SHAPES: readonly (readonly [string, Field])[] = [
  ["disk", (u, v) => Math.hypot(u, v) - 0.85],
  ["square", (u, v) => Math.max(Math.abs(u), Math.abs(v)) - 0.72],
  ["triangle", (u, v) => Math.max(0.866 * Math.abs(u) - 0.5 * v, v) - 0.48],
  ["ring", (u, v) => Math.abs(Math.hypot(u, v) - 0.68) - 0.24],
  [
    "cross",
    (u, v) => Math.max(Math.min(Math.abs(u), Math.abs(v)) - 0.28, Math.max(Math.abs(u), Math.abs(v)) - 0.92),
  ],
];

const wave = (x: number) => 0.5 + 0.5 * Math.sin(2 * Math.PI * x);

/** Brightness from 0 to 1 over the shape. */
const TEXTURES: readonly (readonly [string, Field])[] = [
  ["plain", () => 0.85],
  ["striped", (_, v) => wave(1.7 * v)],
  ["dotted", (u, v) => Math.min(1, 2.2 * wave(1.4 * u) * wave(1.4 * v))],
  ["checked", (u, v) => 0.5 + 0.5 * Math.sign(Math.sin(5 * u) * Math.sin(5 * v))],
];

/** Class k takes shape k mod 5, then the next texture; beyond 20 classes the colour alone tells two apart. */
function partsOfClass(k: number): { name: string; shape: Field; texture: Field; colour: Colour } {
  const [shapeName, shape] = cyclic(SHAPES, k);
  const [textureName, texture] = cyclic(TEXTURES, Math.floor(k / SHAPES.length));
  const round = Math.floor(k / (SHAPES.length * TEXTURES.length));
  const name = `${textureName}-${shapeName}${round === 0 ? "" : `-${round + 1}`}`;
  // Steps of the golden ratio keep any number of hues well apart.
  return { name, shape, texture, colour: rainbow(k * 0.618034) };
}

function className(k: number): string {
  return partsOfClass(k).name;
}

interface Disk {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly colour: Colour;
}

/** One image in coordinates from -1 to 1, before it is sampled at pixels. */
interface Scene {
  readonly shape: Field;
  readonly texture: Field;
  readonly colour: Colour;
  readonly centre: readonly [number, number];
  readonly radius: number;
  readonly tilt: number;
  readonly opacity: number;
  readonly noise: number;
  readonly background: (x: number, y: number) => Colour;
  readonly clutter: readonly Disk[];
}

function drawScene(k: number, classes: number, a: number, stream: RandomStream): Scene {
  const own = partsOfClass(k);
  const other = partsOfClass((k + 1 + stream.integer(classes - 1)) % classes);
  const spread = (width: number) => width * (2 * stream.uniform() - 1);
  return {
    shape: blend(own.shape, other.shape, 0.4 * a),
    texture: blend(own.texture, other.texture, 0.4 * a),
    colour: mixed(own.colour, other.colour, Math.min(1, 0.1 * stream.uniform() + 0.7 * a)),
    centre: [spread(0.08 + 0.35 * a), spread(0.08 + 0.35 * a)],
    radius: (0.72 - 0.3 * a) * (1 + spread(0.08)),
    tilt: spread(0.12 + 1.2 * a),
    opacity: 1 - 0.5 * a,
    noise: 0.02 + 0.22 * a,
    background: drawBackground(a, stream),
    clutter: Array.from({ length: Math.floor(4 * a + stream.uniform()) }, () => ({
      x: spread(1),
      y: spread(1),
      radius: 0.12 + 0.15 * stream.uniform(),
      colour: rainbow(stream.uniform()),
    })),
  };
}

/** A grey ramp in any direction with soft waves over it, tinted more the less typical the example. */
function drawBackground(a: number, stream: RandomStream): (x: number, y: number) => Colour {
  const grey = 0.3 + 0.4 * stream.uniform();
  const [rampX, rampY] = [0.3 * (stream.uniform() - 0.5), 0.3 * (stream.uniform() - 0.5)];
  const [waveX, waveY, phase] = [
    2 * (stream.uniform() - 0.5),
    2 * (stream.uniform() - 0.5),
    stream.uniform(),
  ];
  const tint = rainbow(stream.uniform());
  const strength = 0.1 + 0.35 * a;
  return (x, y) => {
    const level = grey + rampX * x + rampY * y + 0.08 * (wave(waveX * x + waveY * y + phase) - 0.5);
    return mixed([level, level, level], tint, strength);
  };
}

function render(scene: Scene, side: number, out: Uint8Array, stream: RandomStream): void {
  const { centre, radius, tilt, clutter } = scene;
  const [cos, sin] = [Math.cos(tilt) / radius, Math.sin(tilt) / radius];
  const pixel = 2 / side;
  // Distances become coverage over one pixel's width, so that outlines are smooth at any size.
  const coverage = (distance: number) => Math.min(1, Math.max(0, 0.5 - distance / pixel));
  for (let row = 0, to = 0; row < side; row++) {
    for (let column = 0; column < side; column++, to += 3) {
      const [x, y] = [(column + 0.5) * pixel - 1, (row + 0.5) * pixel - 1];
      const [dx, dy] = [x - centre[0], y - centre[1]];
      const [u, v] = [cos * dx + sin * dy, cos * dy - sin * dx];
      const part = scene.opacity * coverage(scene.shape(u, v) * radius);
      let colour = scene.background(x, y);
      if (part > 0) {
        const shade = 0.3 + 0.7 * scene.texture(u, v);
        colour = mixed(
          colour,
          [scene.colour[0] * shade, scene.colour[1] * shade, scene.colour[2] * shade],
          part,
        );
      }
      for (const disk of clutter)
        colour = mixed(colour, disk.colour, 0.8 * coverage(Math.hypot(x - disk.x, y - disk.y) - disk.radius));
      out[to] = byte(colour[0], scene.noise, stream);
      out[to + 1] = byte(colour[1], scene.noise, stream);
      out[to + 2] = byte(colour[2], scene.noise, stream);
    }
  }
}

/** A level from 0 to 1 with uniform noise of up to `noise` either way, as a pixel value. */
function byte(level: number, noise: number, stream: RandomStream): number {
  return Math.round(255 * Math.min(1, Math.max(0, level + noise * (2 * stream.uniform() - 1))));
}

function blend(a: Field, b: Field, part: number): Field {
  return (u, v) => (1 - part) * a(u, v) + part * b(u, v);
}

function mixed(a: Colour, b: Colour, part: number): Colour {
  return [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part, a[2] + (b[2] - a[2]) * part];
}

/** A full colour of the given hue, 0 to 1 once around. */
function rainbow(hue: number): Colour {
  const level = (shift: number) =>
    Math.min(1, Math.max(0, 0.5 + 0.75 * Math.cos(2 * Math.PI * (hue - shift))));
  return [level(0), level(1 / 3), level(2 / 3)];
}

function cyclic<Item>(items: readonly Item[], k: number): Item {
  const item = items[k % items.length];
  if (item === undefined) throw new RangeError("no items to choose from");
  return item;
}
