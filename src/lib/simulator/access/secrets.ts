/** Digests and random strings of the simulated cluster. Real passwords never enter its state in the clear. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { World } from '../world.ts';

export function secretHash(owner: string, secret: string): string {
  return createHash('sha256').update(`${owner}\0${secret}`).digest('hex');
}

export function sign(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

export function isSame(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

export function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

function hex32(world: World): string {
  return world.random32().toString(16).padStart(8, '0');
}

export function randomUuid(world: World): string {
  const digits = Array.from({ length: 4 }, () => hex32(world)).join('');
  const at = (from: number, to: number): string => digits.slice(from, to);
  return `${at(0, 8)}-${at(8, 12)}-4${at(13, 16)}-a${at(17, 20)}-${at(20, 32)}`;
}

/** Tools.pm random_ether_addr: 24 random bits behind a prefix, or a random unicast address. */
export function randomMac(world: World, prefix: string | undefined): string {
  const octet = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');
  const high = world.random32();
  const low = world.random32();
  const all = [(high & 0xff & 0xfe) | 0x02, (high >>> 8) & 0xff, (high >>> 16) & 0xff];
  const tail = [low & 0xff, (low >>> 8) & 0xff, (low >>> 16) & 0xff];
  if (prefix === undefined || prefix === '') return [...all, ...tail].map(octet).join(':');
  const given = prefix.toUpperCase().split(':');
  return [...given, ...[...all, ...tail].slice(given.length).map(octet)].join(':');
}
