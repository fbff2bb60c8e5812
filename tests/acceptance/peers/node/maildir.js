// A queue plugin for Haraka: one file for each recipient, moved into the Maildir whole.
'use strict'

const fs = require('node:fs')
const path = require('node:path')

exports.register = function () {
    this.maildir = this.config.get('maildir').trim()
}

exports.hook_queue = function (next, connection) {
    const { message_stream: stream, uuid, rcpt_to: recipients } = connection.transaction
    const whole = path.join(this.maildir, 'tmp', uuid)
    const file = fs.createWriteStream(whole)
    file.on('error', (error) => next(DENYSOFT, error.message))
    file.on('close', () => {
        recipients.forEach((_, number) =>
            fs.linkSync(whole, path.join(this.maildir, 'new', `${uuid}.${number}`)),
        )
        fs.unlinkSync(whole)
        next(OK)
    })
    stream.pipe(file, { line_endings: '\n' })
}
