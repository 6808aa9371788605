// Runs before the first paint, so that type size, theme and language never flash. Written by src/composables/use-display.ts.
(function () {
  var root = document.documentElement
  try {
    root.dataset.size = localStorage.getItem('display-size') || 'standard'
    root.dataset.theme = localStorage.getItem('display-theme') || 'auto'
    root.lang = localStorage.getItem('language') === 'en' ? 'en' : 'zh-CN'
  } catch (e) { root.dataset.size = 'standard' }
})()
