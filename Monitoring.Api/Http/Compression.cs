using System.IO.Compression;
using Microsoft.AspNetCore.ResponseCompression;

namespace Monitoring.Api.Http;

/// <summary>Compresses answers for clients that can take it; event streams stay as they are, so that each event leaves at once.</summary>
internal static class Compression
{
    public static IServiceCollection AddCompression(this IServiceCollection services) => services
        .AddResponseCompression(options => options.MimeTypes =
            [.. ResponseCompressionDefaults.MimeTypes, RowForms.Csv, RowForms.NdJson, "application/problem+json", "image/svg+xml"])
        .Configure<GzipCompressionProviderOptions>(options => options.Level = CompressionLevel.Fastest)
        .Configure<BrotliCompressionProviderOptions>(options => options.Level = CompressionLevel.Fastest);
}
