using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using DataService.Http;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace DataService.Jobs.Dashboard;

/// <summary>
/// Encrypts the cookies' key ring at rest (AES-256-GCM), under a key derived from the API token: the database alone opens no
/// dashboard, and removing a token ends the sessions that were opened under it.
/// </summary>
internal sealed class ApiTokenXmlEncryptor(ApiTokens tokens) : IXmlEncryptor
{
    internal const int NonceSize = 12;
    internal const int TagSize = 16;

    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var plaintext = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var sealedBytes = new byte[NonceSize + TagSize + plaintext.Length];
        RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, NonceSize));
        using var aes = new AesGcm(DeriveKey(tokens.All[0]), TagSize);
        aes.Encrypt(
            sealedBytes.AsSpan(0, NonceSize), plaintext, sealedBytes.AsSpan(NonceSize + TagSize), sealedBytes.AsSpan(NonceSize, TagSize));
        return new EncryptedXmlInfo(new XElement("sealed", Convert.ToBase64String(sealedBytes)), typeof(ApiTokenXmlDecryptor));
    }

    internal static byte[] DeriveKey(string token) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(token), 32, info: "DataService dashboard key ring"u8.ToArray());
}

/// <summary>Made by the framework, by its type's name, which is stored beside each key.</summary>
internal sealed class ApiTokenXmlDecryptor(IServiceProvider services) : IXmlDecryptor
{
    private readonly ApiTokens _tokens = services.GetRequiredService<ApiTokens>();

    /// <exception cref="CryptographicException">None of the present tokens opens it; the framework goes on with a new key.</exception>
    public XElement Decrypt(XElement encryptedElement)
    {
        ReadOnlySpan<byte> bytes = Convert.FromBase64String(encryptedElement.Value);
        var plaintext = new byte[bytes.Length - ApiTokenXmlEncryptor.NonceSize - ApiTokenXmlEncryptor.TagSize];
        foreach (var token in _tokens.All)
        {
            using var aes = new AesGcm(ApiTokenXmlEncryptor.DeriveKey(token), ApiTokenXmlEncryptor.TagSize);
            try
            {
                aes.Decrypt(
                    bytes[..ApiTokenXmlEncryptor.NonceSize],
                    bytes[(ApiTokenXmlEncryptor.NonceSize + ApiTokenXmlEncryptor.TagSize)..],
                    bytes.Slice(ApiTokenXmlEncryptor.NonceSize, ApiTokenXmlEncryptor.TagSize),
                    plaintext);
                return XElement.Parse(Encoding.UTF8.GetString(plaintext));
            }
            catch (AuthenticationTagMismatchException)
            {
                // Sealed under another token; the next one may fit.
            }
        }

        throw new CryptographicException("The key was sealed under an API token that is no longer configured.");
    }
}
