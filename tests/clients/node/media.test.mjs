// Embeddings, moderations, images and audio; JSON and multipart bodies.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toFile } from 'openai';
import { connect } from './support.mjs';

const client = connect();

/** A short silence as a WAV file. */
function silence() {
  const samples = 1600;
  const wav = Buffer.alloc(44 + samples * 2);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + samples * 2, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(8000, 24);
  wav.writeUInt32LE(16000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(samples * 2, 40);
  return toFile(wav, 'silence.wav', { type: 'audio/wav' });
}

const isPng = (base64) => Buffer.from(base64, 'base64').subarray(1, 4).toString() === 'PNG';

test('embeddings in the default encoding and as numbers agree', async () => {
  const request = { model: 'text-embedding-3-small', input: ['one', 'two'] };
  const coded = await client.embeddings.create(request);
  const plain = await client.embeddings.create({ ...request, encoding_format: 'float' });

  assert.equal(coded.data.length, 2);
  const difference = plain.data[0].embedding.map((value, index) => Math.abs(value - coded.data[0].embedding[index]));
  assert.ok(Math.max(...difference) < 1e-6);
});

test('moderation', async () => {
  const answer = await client.moderations.create({ model: 'omni-moderation-latest', input: 'hello' });

  assert.equal(typeof answer.results[0].flagged, 'boolean');
});

test('image generation and edit', async () => {
  const made = await client.images.generate({ model: 'gpt-image-1', prompt: 'a spring' });
  assert.ok(isPng(made.data[0].b64_json));

  const picture = await toFile(Buffer.from(made.data[0].b64_json, 'base64'), 'a.png', { type: 'image/png' });
  const changed = await client.images.edit({ model: 'gpt-image-1', image: picture, prompt: 'add a bridge' });
  assert.ok(isPng(changed.data[0].b64_json));
});

test('speech', async () => {
  const answer = await client.audio.speech.create({
    model: 'tts-1',
    voice: 'alloy',
    input: 'Good morning.',
    response_format: 'wav',
  });
  const sound = Buffer.from(await answer.arrayBuffer());

  assert.equal(sound.subarray(0, 4).toString(), 'RIFF');
  assert.ok(sound.length > 44);
});

test('transcription and translation', async () => {
  const heard = await client.audio.transcriptions.create({ model: 'whisper-1', file: await silence() });
  assert.ok(heard.text);

  const translated = await client.audio.translations.create({ model: 'whisper-1', file: await silence() });
  assert.ok(translated.text);
});
