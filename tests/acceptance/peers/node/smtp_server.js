// node smtp_server.js HOME MAILDIR ADDRESS PORT DOMAIN…: npm's smtp-server with a Maildir behind it.
'use strict'

const fs = require('node:fs')
const path = require('node:path')

const [home, maildir, address, port, ...domains] = process.argv.slice(2)
const { SMTPServer } = require(path.join(home, 'node_modules', 'smtp-server'))

function answer(code, text) {
    return Object.assign(new Error(text), { responseCode: code })
}

let count = 0

const server = new SMTPServer({
    authOptional: true,
    logger: false,
    onRcptTo({ address: path }, session, done) {
        const domain = path.slice(path.lastIndexOf('@') + 1).toLowerCase()
        done(domains.includes(domain) ? null : answer(550, '5.7.1 relaying denied'))
    },
    onData(stream, session, done) {
        const name = `${process.pid}.${Date.now()}.${++count}`
        const whole = path.join(maildir, 'tmp', name)
        const file = fs.createWriteStream(whole)
        file.on('error', (error) => done(answer(451, error.message)))
        file.on('finish', () => {
            session.envelope.rcptTo.forEach((_, number) =>
                fs.linkSync(whole, path.join(maildir, 'new', `${name}.${number}`)),
            )
            fs.unlinkSync(whole)
            done()
        })
        stream.on('data', (chunk) => file.write(chunk.toString('latin1').replace(/\r\n/g, '\n'), 'latin1'))
        stream.on('end', () => file.end())
    },
})
server.on('error', (error) => console.error(error.message))
server.listen(Number(port), address)
