// A SOAP service on a free port, whose address is the only line it prints. Its paths differ in the version of SOAP they speak
// and in the password they ask for: /11/open, /11/text, /11/digest, and the same below /12.
'use strict';

const crypto = require('node:crypto');
const http = require('node:http');
const { createRequire } = require('node:module');
const soap = createRequire(`${process.argv[2]}/`)('soap');

const USERNAME = 'esb';
const PASSWORD = 's3cret & <more>';

const wsdl = (version, path) => {
  const binding = version === '12' ? 'http://schemas.xmlsoap.org/wsdl/soap12/' : 'http://schemas.xmlsoap.org/wsdl/soap/';
  return `<?xml version="1.0" encoding="UTF-8"?>
<definitions name="Accounts" targetNamespace="urn:accounts" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="${binding}"
    xmlns:t="urn:accounts" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <types>
    <xsd:schema targetNamespace="urn:accounts" elementFormDefault="qualified">
      <xsd:element name="BalanceRequest"><xsd:complexType><xsd:sequence>
        <xsd:element name="account" type="xsd:string"/>
      </xsd:sequence></xsd:complexType></xsd:element>
      <xsd:element name="BalanceResponse"><xsd:complexType><xsd:sequence>
        <xsd:element name="amount" type="xsd:string"/>
        <xsd:element name="holder" type="xsd:string"/>
      </xsd:sequence></xsd:complexType></xsd:element>
    </xsd:schema>
  </types>
  <message name="BalanceInput"><part name="parameters" element="t:BalanceRequest"/></message>
  <message name="BalanceOutput"><part name="parameters" element="t:BalanceResponse"/></message>
  <portType name="AccountsPort"><operation name="Balance">
    <input message="t:BalanceInput"/><output message="t:BalanceOutput"/>
  </operation></portType>
  <binding name="AccountsBinding" type="t:AccountsPort">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="Balance">
      <soap:operation soapAction="urn:accounts/Balance"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output>
    </operation>
  </binding>
  <service name="Accounts"><port name="AccountsPort" binding="t:AccountsBinding">
    <soap:address location="http://localhost${path}"/>
  </port></service>
</definitions>`;
};

const balance = ({ account }) => {
  if (account === 'unknown') {
    throw {
      Fault: { faultcode: 'soap:Client', faultstring: 'no such account', statusCode: 500 },
    };
  }
  if (account === 'unknown12') {
    throw {
      Fault: {
        Code: { Value: 'soap:Sender' },
        Reason: { Text: 'no such account' },
        statusCode: 500,
      },
    };
  }
  return { amount: '45.67', holder: `Zażółć & ${account}` };
};

const seen = new Set();

// The digest is that of the UsernameToken profile 1.0, computed here from its definition. A nonce is accepted once.
const accepts = {
  open: () => true,
  text: (token) => token.Username === USERNAME && token.Password.$value === PASSWORD
    && token.Password.attributes.Type.endsWith('#PasswordText'),
  digest: (token) => {
    const nonce = token.Nonce.$value ?? token.Nonce;
    const created = token.Created.$value ?? token.Created;
    if (seen.has(nonce) || Math.abs(Date.parse(created) - Date.now()) > 300000) return false;
    seen.add(nonce);
    const hash = crypto.createHash('sha1');
    hash.update(Buffer.from(nonce, 'base64')).update(created).update(PASSWORD);
    return token.Username === USERNAME && token.Password.$value === hash.digest('base64')
      && token.Password.attributes.Type.endsWith('#PasswordDigest');
  },
};

const server = http.createServer((request, response) => response.writeHead(404).end());
server.listen(0, '127.0.0.1', () => {
  for (const version of ['11', '12']) {
    for (const [name, accept] of Object.entries(accepts)) {
      const path = `/${version}/${name}`;
      const peer = soap.listen(server, {
        path,
        services: { Accounts: { AccountsPort: { Balance: balance } } },
        xml: wsdl(version, path),
        forceSoap12Headers: version === '12',
        suppressStack: true,
      });
      peer.authenticate = (security) => {
        if (name === 'open') return true;
        return Boolean(security?.UsernameToken) && accept(security.UsernameToken);
      };
    }
  }
  console.log(`127.0.0.1:${server.address().port}`);
});
