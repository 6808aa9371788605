/** What commands print. Whoever reads it may go away early (`… | head`): that is no fault, and what comes after is not made. */

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

/** Waits until the text is taken. @returns false when nobody reads any more. */
export function print(text: string): Promise<boolean> {
  return new Promise((done) => {
    process.stdout.write(text, (error) => { done(!error) })
  })
}
