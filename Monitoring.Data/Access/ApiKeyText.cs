using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Monitoring.Data.Access;

/// <summary>The text of a key: <c>mk_</c> and 256 random bits in base64url. It is shown once and stored as its SHA-256.</summary>
public static class ApiKeyText
{
    private const string Mark = "mk_";
    private const int SecretBytes = 32;
    private const int PrefixLength = 11;

    /// <summary>Characters of every key.</summary>
    public static int Length { get; } = Mark.Length + Base64Url.GetEncodedLength(SecretBytes);

    /// <summary>A new key.</summary>
    public static string Create() => Mark + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>Whether the text has the form of a key.</summary>
    public static bool IsWellFormed(string text) =>
        text.Length == Length && text.StartsWith(Mark, StringComparison.Ordinal) && Base64Url.IsValid(text.AsSpan(Mark.Length));

    /// <summary>What is stored.</summary>
    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>What people recognise the key by; 208 of its bits stay secret.</summary>
    public static string Prefix(string key) => key[..PrefixLength];
}
