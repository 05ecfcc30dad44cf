namespace Monitoring.Simulator.Model;

/// <summary>A scenario that cannot be used; the message names the file and each faulty field.</summary>
internal sealed class ScenarioException(string message, Exception? inner = null) : Exception(message, inner);
