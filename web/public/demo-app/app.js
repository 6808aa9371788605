/**
 * A third-party app of the demonstration: SMART App Launch 2.2, public client, code with PKCE, opened by itself or from a
 * patient's record. Written without a library, so that one can read what an app has to do.
 */
const clientId = 'blood-pressure-diary'
const redirectUri = `${location.origin}/demo-app/index.html`
const query = new URLSearchParams(location.search)
const show = (id, text) => { const element = document.getElementById(id); element.textContent = text; element.hidden = false }

async function begin(iss, launch) {
  const { authorization_endpoint: authorize, token_endpoint: token } = await (await fetch(`${iss}/.well-known/smart-configuration`, { credentials: 'omit' })).json()
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)))
  const state = base64url(crypto.getRandomValues(new Uint8Array(16)))
  sessionStorage.setItem(`smart ${state}`, JSON.stringify({ iss, token, verifier }))
  const challenge = base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))))
  location.assign(`${authorize}?${new URLSearchParams({
    response_type: 'code', client_id: clientId, redirect_uri: redirectUri, aud: iss, state, code_challenge: challenge, code_challenge_method: 'S256',
    scope: `openid fhirUser ${launch ? 'launch' : 'launch/patient'} online_access patient/Patient.r patient/Observation.rs?category=vital-signs`, ...(launch ? { launch } : {}),
  })}`)
}

async function finish() {
  const kept = JSON.parse(sessionStorage.getItem(`smart ${query.get('state')}`) ?? 'null')
  history.replaceState(null, '', redirectUri)
  if (query.get('error')) return again(`没有获得允许。Access was not given (${query.get('error')}).`)
  if (!kept) return again('请求已过期。The request has expired.')
  const reply = await fetch(kept.token, {
    method: 'POST', credentials: 'omit', headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'authorization_code', code: query.get('code') ?? '', redirect_uri: redirectUri, client_id: clientId, code_verifier: kept.verifier }),
  })
  const answer = await reply.json()
  if (!reply.ok) return again(`没有成功。It did not work (${answer.error}).`)
  const get = async (path) => (await fetch(`${kept.iss}/${path}`, { credentials: 'omit', headers: { Authorization: `Bearer ${answer.access_token}`, Accept: 'application/fhir+json' } })).json()
  const patient = await get(`Patient/${answer.patient}`)
  const found = await get('Observation?code=http://loinc.org|85354-9&_sort=-date&_count=10')
  show('patient', patient.name?.[0]?.text ?? '—')
  const list = document.getElementById('readings')
  for (const { resource } of found.entry ?? []) {
    const value = (code) => resource.component?.find((each) => each.code.coding?.some((coding) => coding.code === code))?.valueQuantity?.value ?? '—'
    list.append(Object.assign(document.createElement('li'), { textContent: `${(resource.effectiveDateTime ?? '').slice(0, 10)}  ${value('8480-6')}/${value('8462-4')} mmHg` }))
  }
  show('state', (found.entry ?? []).length > 0 ? '已连接。Connected.' : '已连接，没有血压记录。Connected, no readings.')
  document.getElementById('result').hidden = false
}

function again(text) {
  show('state', text)
  document.getElementById('connect').hidden = false
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

document.getElementById('connect').addEventListener('click', () => { void begin(`${location.origin}/fhir`, null) })
if (query.has('code') || query.has('error')) void finish()
else if (query.has('iss') && query.get('iss') === `${location.origin}/fhir`) void begin(query.get('iss'), query.get('launch'))
else document.getElementById('connect').hidden = false
