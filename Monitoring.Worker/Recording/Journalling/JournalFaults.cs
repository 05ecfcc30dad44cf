namespace Monitoring.Worker.Recording.Journalling;

/// <summary>Another worker uses the folder.</summary>
internal sealed class JournalInUseException(string message) : IOException(message);

/// <summary>What was written is not in the files that their names lead to.</summary>
internal sealed class JournalDisplacedException(string message) : IOException(message);

/// <summary>The journal holds as many bytes as it may.</summary>
internal sealed class JournalFullException(string message) : IOException(message);
