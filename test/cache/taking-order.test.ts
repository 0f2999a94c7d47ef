import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GroupId } from '../../src/cache/segment-format.ts';
import { createTakingOrder } from '../../src/cache/taking-order.ts';

const id = (number: number): GroupId => `Event-segment.${number}` as GroupId;

describe('createTakingOrder', () => {
  it('calls fresh what comes while data flows, and backlog what comes while it does not', () => {
    const order = createTakingOrder();
    assert.equal(order.placeOf(id(1), true), 'fresh');
    assert.equal(order.placeOf(id(2), false), 'backlog');
  });

  it('calls backlog what comes faster than it goes', () => {
    const order = createTakingOrder();
    const places = Array.from({ length: 66 }, (_, number) => order.placeOf(id(number), true));
    assert.deepEqual(places.slice(62), ['fresh', 'fresh', 'backlog', 'backlog']);
    order.forget(id(0));
    assert.equal(order.placeOf(id(100), true), 'fresh');
  });

  it('gives every second turn to the backlog as long as there is one', () => {
    const order = createTakingOrder();
    const turns = (): boolean[] => Array.from({ length: 4 }, () => order.isBacklogsTurn());
    assert.deepEqual(turns(), [true, false, true, false]);
    order.backlogIsEmpty();
    assert.deepEqual(turns(), [false, false, false, false]);
    order.placeOf(id(1), false);
    assert.deepEqual(turns(), [true, false, true, false]);
    order.backlogIsEmpty();
    order.lookAgain();
    assert.equal(order.isBacklogsTurn(), true);
  });
});
