/** Narratives: basic XHTML passes, anything active or broken does not. */
import { expect, test } from 'vitest'
import { narrativeFault } from './narrative.ts'

const div = (inner: string) => `<div xmlns="http://www.w3.org/1999/xhtml">${inner}</div>`

test.each([
  div('张三'), div('<p>a<br/>b &amp; c &#160; &#xA0; &lt; &gt; &quot; &apos;</p>'), div('<a href="http://x.org/?a=1&amp;b=2" title=\'t\'>x</a>'), div('<table class="grid"><tr><td>1</td></tr></table>'),
  div('<img src="#i" alt="x"/>'), div('<!-- <script> --> text'), `<div lang="zh" xmlns="http://www.w3.org/1999/xhtml">text</div>`, div('<div>inner</div> outer'),
])('allowed: %s', (text) => { expect(narrativeFault(text)).toBeNull() })

test.each([
  ['text', 'must begin'], ['<div>text</div>', 'must begin'], ['<p xmlns="http://www.w3.org/1999/xhtml">x</p>', 'must begin'],
  [div('<script>alert(1)</script>'), 'may not use <script>'], [div('<SCRIPT>x</SCRIPT>'), 'may not use <SCRIPT>'], [div('<iframe src="x"/>a'), 'may not use <iframe>'],
  [div('<form>x</form>'), 'may not use <form>'], [div('<p onclick="x()">a</p>'), 'may not hold scripts (onclick)'],
  [div('<a href="javascript:x()">a</a>'), 'may not hold scripts (href)'], [div('<a href=" java\nscript:x()">a</a>'), 'may not hold scripts (href)'],
  [div('<p>a'), 'not well-formed'], [div('a</p>'), 'not well-formed'], [div('<b><i>a</b></i>'), 'not well-formed'], [div('a < b'), 'not well-formed'],
  [div('a & b'), 'not well-formed'], [div('<p class=x>a</p>'), 'not well-formed'], [`${div('a')}<p>b</p>`, 'not well-formed'], [`${div('a')} b`, 'not well-formed'],
  [div('a&nbsp;b'), 'may not use &nbsp;'], [div('&reg;'), 'may not use &reg;'], [div('a &#; b'), 'not well-formed'], [div('a &amp b'), 'not well-formed'],
  [div('a\u0001b'), 'not well-formed'], [div(''), 'is empty'], [div(' <p> </p> '), 'is empty'],
])('refused: %s', (text, expected) => { expect(narrativeFault(text)?.en).toContain(expected) })
