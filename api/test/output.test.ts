/** A reader of a command's output that goes away early ends the command without a trace. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('a pipe that is closed early', async () => {
  const program = `import { print } from ${JSON.stringify(join(import.meta.dirname, '..', 'src', 'output.ts'))}
    while (await print('a line\\n'.repeat(1000))) {}
    process.stderr.write(String(await print('once more')))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => { said += chunk.toString() })
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const [code] = await once(child, 'close') as [number]
  expect([code, said]).toEqual([0, 'false'])
})
